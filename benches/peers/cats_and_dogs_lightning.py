"""PyTorch Lightning on the cats-and-dogs network, channels-last. --pipe resident: one batch of floats, again and again."""
import timing

given = timing.arguments(pipe="resident", workers=1)

import logging
import warnings

warnings.filterwarnings("ignore")
logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)

import pytorch_lightning as lightning
import torch
import torch.nn.functional as F

import networks_torch as networks

torch.set_num_threads(given.threads)
windows = timing.Windows(given, warm=5)


class Module(lightning.LightningModule):
    def __init__(self):
        super().__init__()
        self.network = networks.cats_and_dogs()

    def training_step(self, batch, _):
        x, y = batch
        loss = F.binary_cross_entropy_with_logits(self.network(x).squeeze(1), y.float())
        self.log("loss", loss)
        return loss

    def configure_optimizers(self):
        return networks.rmsprop(self.parameters(), 1e-4)


class Clock(lightning.Callback):
    def on_train_batch_end(self, trainer, *_):
        trainer.should_stop = windows.tick(32)


if given.pipe == "resident":
    x = torch.rand(32, 3, 150, 150).to(memory_format=torch.channels_last)
    y = torch.randint(0, 2, (32,)).float()

    class Resident(torch.utils.data.IterableDataset):
        def __iter__(self):
            while True:
                yield x, y

    batches = torch.utils.data.DataLoader(Resident(), batch_size=None)
    system, task = "Lightning channels-last", "step"
else:
    import folder_torch

    batches = torch.utils.data.DataLoader(
        folder_torch.Folder(f"{given.data}/train", given.pipe), 32, shuffle=True, drop_last=True,
        num_workers=given.workers, persistent_workers=given.workers > 0,
    )  # fmt: skip
    system, task = f"Lightning channels-last, {folder_torch.said(given.pipe, given.workers)}", "end-to-end"
trainer = lightning.Trainer(
    accelerator="cpu", max_epochs=-1, callbacks=[Clock()], logger=False, enable_checkpointing=False,
    enable_model_summary=False, enable_progress_bar=False,
)  # fmt: skip
trainer.fit(Module().to(memory_format=torch.channels_last), batches)
version = f"lightning {lightning.__version__}, torch {torch.__version__}"
timing.report(task, system, windows.values[: given.repeats], first=windows.first, version=version)
