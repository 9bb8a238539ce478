// libtorch's memory on the processor, kept for the next tensor of its size. A step asks for the same few hundred blocks again and again:
// glibc gives large ones back to the kernel each time and has every page of them faulted in anew, which costs a third of the speed,
// or, told to keep them, lets the threads wait for one lock. Small blocks stay with glibc, whose threads keep some of their own.
#include <c10/core/CPUAllocator.h>
#include <c10/core/impl/alloc_cpu.h>

#include <algorithm>
#include <cstdint>
#include <mutex>
#include <new>
#include <vector>
#ifdef __linux__
#include <sys/mman.h>
#endif

#include "guarded.h"

namespace {

// What c10 aligns to, and what stands before each block: its class.
constexpr size_t HEADER = 64;
constexpr size_t SMALLEST = 1 << 15;
constexpr int SMALL = -1;
constexpr size_t HUGE_PAGE = 1 << 21;
// Eight sizes to a doubling waste an eighth at most.
constexpr int SHADES = 8;
constexpr int CLASSES = 64 * SHADES;
// Unused blocks beyond this and a quarter of the used ones go back when one of another size is wanted.
constexpr size_t SPARE = size_t{64} << 20;

int class_of(size_t bytes) {
    const int doubling = 63 - __builtin_clzll(bytes), shift = std::max(doubling - 3, 0);
    const size_t step = size_t{1} << shift, shades = (bytes + step - 1) >> shift;
    return doubling * SHADES + int(shades - SHADES);
}

size_t size_of(int index) { return size_t(SHADES + index % SHADES) << (index / SHADES - 3); }

class Keeper {
   public:
    void *take(size_t bytes) {
        const int index = class_of(bytes + HEADER);
        const size_t size = size_of(index);
        {
            std::lock_guard lock(mutex_);
            used_ += size;
            if (auto &kept = kept_[index]; !kept.empty()) {
                void *block = kept.back();
                kept.pop_back();
                spare_ -= size;
                return block;
            }
            if (spare_ > SPARE + used_ / 4) give_back();
        }
        void *block = fresh(size);
        if (!block) {
            std::lock_guard lock(mutex_);
            give_back();
            block = fresh(size);
            if (!block) used_ -= size;
        }
        if (!block) return nullptr;
        *static_cast<int *>(block) = index;
        return block;
    }

    void keep(void *block) {
        const int index = *static_cast<int *>(block);
        std::lock_guard lock(mutex_);
        kept_[index].push_back(block);
        used_ -= size_of(index);
        spare_ += size_of(index);
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

    void give_back() {
        for (int index = 0; index < CLASSES; index++) {
            for (void *block : kept_[index]) drop(block, size_of(index));
            kept_[index].clear();
        }
        spare_ = 0;
    }

    std::mutex mutex_;
    std::vector<void *> kept_[CLASSES];
    size_t used_ = 0, spare_ = 0;
};

Keeper &keeper() {
    // Never destroyed: tensors in statics are let go of after it would have been.
    static Keeper *one = new Keeper;
    return *one;
}

// A pointer to the numbers is all that is known of a block when it is let go of.
void let_go(void *numbers) {
    if (!numbers) return;
    void *block = static_cast<char *>(numbers) - HEADER;
    if (*static_cast<int *>(block) == SMALL)
        c10::free_cpu(block);
    else
        keeper().keep(block);
}

class Allocator final : public c10::Allocator {
   public:
    c10::DataPtr allocate(size_t bytes) override {
        void *block;
        if (bytes < SMALLEST) {
            block = c10::alloc_cpu(bytes + HEADER);
            *static_cast<int *>(block) = SMALL;
        } else {
            block = keeper().take(bytes);
            // The words by which an error of memory is known.
            TORCH_CHECK(block, "DefaultCPUAllocator: can't allocate memory: you tried to allocate ", bytes, " bytes.");
        }
        void *numbers = static_cast<char *>(block) + HEADER;
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

}
