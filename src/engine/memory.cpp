// libtorch's memory on the processor, kept for the next tensor of its size. A step asks for the same few hundred blocks again and again:
// glibc gives large ones back to the kernel each time and has every page of them faulted in anew, which costs a third of the speed,
// or, told to keep them, places them differently in each process, which makes one a fifth slower than the next.
#include <c10/core/CPUAllocator.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <c10/core/impl/alloc_cpu.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>
#ifdef __linux__
#include <sys/mman.h>
#endif

#include "guarded.h"

namespace {

// What c10 aligns to; so much room stands before the numbers, and begins with a `Label`.
constexpr size_t HEADER = 64;

struct Label {
    // `SMALL`, or the index of the size.
    int index;
    // From the block's start to the label.
    uint32_t offset;
};

Label &label_of(void *numbers) { return *reinterpret_cast<Label *>(static_cast<char *>(numbers) - HEADER); }

// Blocks begin at whole pages. If numbers began there too, all would share the same few sets of each cache, and a map that is read
// would be in the way of the one that is written. So each block's begin somewhere else, within a sixteenth of its size.
uint32_t offset(size_t bytes, uint64_t number) {
    const uint64_t places = std::min<uint64_t>(bytes / 16, 1 << 16) / HEADER;
    // Steps of the golden ratio keep any few of them apart.
    return uint32_t((number * 0x9E3779B97F4A7C15 >> 32) * places >> 32) * HEADER;
}

// What is smaller is glibc's.
constexpr size_t SMALLEST = 1 << 18;
constexpr int SMALL = -1;
constexpr size_t HUGE_PAGE = 1 << 21;
// Eight sizes to a doubling waste an eighth at most.
constexpr int SHADES = 8;
constexpr int CLASSES = 64 * SHADES;
// When all blocks together are more than this and one and a half times what was ever in use, the unused ones go back before another is
// made.
constexpr size_t SPARE = size_t{64} << 20;

int class_of(size_t bytes) {
    const int doubling = 63 - __builtin_clzll(bytes), shift = std::max(doubling - 3, 0);
    const size_t step = size_t{1} << shift, shades = (bytes + step - 1) >> shift;
    return doubling * SHADES + int(shades - SHADES);
}

size_t size_of(int index) { return size_t(SHADES + index % SHADES) << (index / SHADES - 3); }

// Held for a few instructions, and by few threads: to sleep over it would take longer.
class Latch {
   public:
    void lock() {
        while (flag_.test_and_set(std::memory_order_acquire)) std::this_thread::yield();
    }
    void unlock() { flag_.clear(std::memory_order_release); }

   private:
    std::atomic_flag flag_ = ATOMIC_FLAG_INIT;
};

class Keeper {
   public:
    void *take(size_t bytes) {
        const int index = class_of(bytes + bytes / 16 + HEADER);
        const size_t size = size_of(index);
        uint64_t number;
        {
            std::lock_guard lock(latch_);
            // One that is up to twice as large does too: its memory is there.
            for (int larger = index; larger <= std::min(index + SHADES, CLASSES - 1); larger++) {
                auto &kept = kept_[larger];
                if (kept.empty()) continue;
                void *numbers = kept.back();
                kept.pop_back();
                spare_ -= size_of(larger);
                uses(size_of(larger));
                return numbers;
            }
            uses(size);
            if (used_ + spare_ > SPARE + most_used_ / 2 * 3) give_back();
            number = number_++;
        }
        void *block = fresh(size);
        if (!block) {
            std::lock_guard lock(latch_);
            give_back();
            block = fresh(size);
            if (!block) used_ -= size;
        }
        if (!block) return nullptr;
        const uint32_t begin = offset(bytes, number);
        void *numbers = static_cast<char *>(block) + begin + HEADER;
        label_of(numbers) = {index, begin};
        return numbers;
    }

    void keep(void *numbers) {
        const int index = label_of(numbers).index;
        std::lock_guard lock(latch_);
        kept_[index].push_back(numbers);
        used_ -= size_of(index);
        spare_ += size_of(index);
    }

    // Bytes in use, bytes that wait for the next tensor, and the most that were ever in use.
    void read(uint64_t *three) {
        std::lock_guard lock(latch_);
        three[0] = used_;
        three[1] = spare_;
        three[2] = most_used_;
    }

   private:
    // From the kernel: whole pages, huge ones where they fit.
    static void *fresh(size_t size) {
#ifdef __linux__
        const size_t slack = size >= HUGE_PAGE ? HUGE_PAGE : 0;
        void *mapped = mmap(nullptr, size + slack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (mapped == MAP_FAILED) return nullptr;
        if (!slack) return mapped;
        const auto begin = reinterpret_cast<uintptr_t>(mapped), aligned = (begin + slack - 1) / slack * slack;
        if (aligned > begin) munmap(mapped, aligned - begin);
        if (begin + slack > aligned) munmap(reinterpret_cast<void *>(aligned + size), begin + slack - aligned);
        madvise(reinterpret_cast<void *>(aligned), size, MADV_HUGEPAGE);
        return reinterpret_cast<void *>(aligned);
#else
        return c10::alloc_cpu(size);
#endif
    }

    static void drop(void *block, size_t size) {
#ifdef __linux__
        munmap(block, size);
#else
        c10::free_cpu(block);
#endif
    }

    void uses(size_t size) {
        used_ += size;
        most_used_ = std::max(most_used_, used_);
    }

    void give_back() {
        for (int index = 0; index < CLASSES; index++) {
            for (void *numbers : kept_[index])
                drop(static_cast<char *>(numbers) - HEADER - label_of(numbers).offset, size_of(index));
            kept_[index].clear();
        }
        spare_ = 0;
    }

    Latch latch_;
    std::vector<void *> kept_[CLASSES];
    size_t used_ = 0, most_used_ = 0, spare_ = 0;
    uint64_t number_ = 0;
};

Keeper &keeper() {
    // Never destroyed: tensors in statics are let go of after it would have been.
    static Keeper *one = new Keeper;
    return *one;
}

// A pointer to the numbers is all that is known of a block when it is let go of.
void let_go(void *numbers) {
    if (!numbers) return;
    if (label_of(numbers).index == SMALL)
        c10::free_cpu(&label_of(numbers));
    else
        keeper().keep(numbers);
}

class Allocator final : public c10::Allocator {
   public:
    c10::DataPtr allocate(size_t bytes) override {
        void *numbers;
        if (bytes < SMALLEST) {
            numbers = static_cast<char *>(c10::alloc_cpu(bytes + HEADER)) + HEADER;
            label_of(numbers) = {SMALL, 0};
        } else {
            numbers = keeper().take(bytes);
            // The words by which an error of memory is known.
            TORCH_CHECK(numbers, "DefaultCPUAllocator: can't allocate memory: you tried to allocate ", bytes, " bytes.");
        }
        return {numbers, numbers, &let_go, c10::Device(c10::DeviceType::CPU)};
    }

    // oneDNN's memory comes and goes without a tensor.
    c10::DeleterFnPtr raw_deleter() const override { return &let_go; }

    void copy_data(void *to, const void *from, size_t bytes) const override { default_copy_data(to, from, bytes); }
};

Allocator *install() {
    // Never destroyed, like the keeper.
    auto *ours = new Allocator;
    c10::SetCPUAllocator(ours, 1);
    return ours;
}

// Before `main`, because oneDNN gives back to the allocator of the day what it may have from the one before.
Allocator *const installed = install();

}  // namespace

extern "C" {

// Asking also makes the linker take this file.
bool frostline_keeps_memory() { return c10::GetCPUAllocator() == installed; }

// Of large blocks: used, spare, peak. A card below 0 is the processor.
char *frostline_held(int card, uint64_t *three) {
    return guarded([&] {
        if (card < 0) return keeper().read(three);
        // Through c10's own interface, so that nothing of CUDA has to be linked.
        const auto stats = c10::getDeviceAllocator(c10::DeviceType::CUDA)->getDeviceStats(c10::DeviceIndex(card));
        // The first of each is the sum over small and large blocks.
        const auto &used = stats.allocated_bytes[0];
        three[0] = used.current;
        three[1] = stats.reserved_bytes[0].current - used.current;
        three[2] = used.peak;
    });
}

}
