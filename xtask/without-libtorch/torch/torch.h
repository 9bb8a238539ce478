// Found only where libtorch is not: a C++ compiler looks here (CPLUS_INCLUDE_PATH, see .cargo/config.toml) after every folder
// that it was given by name. Without this file a forgotten set-up ends in "torch/torch.h: No such file or directory".
#error "libtorch is not here yet: run `cargo xtask setup` first"
