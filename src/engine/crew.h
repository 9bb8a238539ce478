// The threads that libtorch computes with, each taking a piece of work when it is free with the last one. A thread whose core another
// program uses leaves its pieces to the others. Nothing has to be woken, and none is in another's way.
#pragma once

#include <ATen/Parallel.h>

#include <atomic>
#include <cstdint>
#include <exception>
#ifdef _OPENMP
#include <omp.h>
#endif
#ifdef __linux__
#include <sched.h>
#endif

// Of a thread that it has not met, libtorch settles the number of threads at the first look, and so does what its headers leave in
// this program. Once both have looked, what is set stays.
inline void meet_this_thread() {
    at::get_num_threads();
    at::internal::lazy_init_num_threads();
}

// Where the crew fills the processor, each of its threads stays on one core. The kernel otherwise leaves two of them on one core for
// long when another program wants the second: with one busy neighbour on two cores that costs a quarter of the speed. The caller's
// thread is not only the crew's, and threads that it starts begin where it may be: it goes back when the work is done. The
// others belong to OpenMP, which started them while the caller was still free, and stay.
class OnCore {
   public:
    OnCore(int index, int threads) {
#ifdef __linux__
        cpu_set_t allowed;
        if (sched_getaffinity(0, sizeof allowed, &allowed) != 0 || CPU_COUNT(&allowed) != threads) return;
        int core = -1;
        for (int nth = -1; nth < index; nth += CPU_ISSET(core, &allowed) ? 1 : 0) core++;
        cpu_set_t own;
        CPU_ZERO(&own);
        CPU_SET(core, &own);
        before_ = allowed;
        returns_ = sched_setaffinity(0, sizeof own, &own) == 0 && index == 0;
#endif
    }
    ~OnCore() {
#ifdef __linux__
        if (returns_) sched_setaffinity(0, sizeof before_, &before_);
#endif
    }
    OnCore(const OnCore &) = delete;
    OnCore &operator=(const OnCore &) = delete;

#ifdef __linux__
   private:
    bool returns_ = false;
    cpu_set_t before_;
#endif
};

// Calls `work` on each of so many threads, this one among them; on each, operations keep to that thread. `work` must not throw.
// With fewer threads than the process computes with, OpenMP lets the others end.
template <typename Work>
void on_each_thread(int threads, const Work &work) {
#ifdef _OPENMP
#pragma omp parallel num_threads(threads)
    {
        meet_this_thread();
        const OnCore on_core(omp_get_thread_num(), threads);
        // oneDNN plans for as many threads as this says; where it then gets but one, it waits for the others for ever. The setting
        // ends with the region.
        omp_set_num_threads(1);
        work();
    }
#else
    work();
#endif
}

// Calls `work` with 0 to pieces - 1, each once. The first exception to come comes back.
template <typename Work>
void crew(int64_t pieces, const Work &work) {
    // Inside a region there is this thread alone.
    const int threads = at::in_parallel_region() ? 1 : at::get_num_threads();
    std::atomic<int64_t> next{0};
    std::atomic_flag failed = ATOMIC_FLAG_INIT;
    std::exception_ptr failure;
    auto take_pieces = [&] {
        for (int64_t index; (index = next.fetch_add(1, std::memory_order_relaxed)) < pieces;) {
            try {
                work(index);
            } catch (...) {
                if (!failed.test_and_set()) failure = std::current_exception();
            }
        }
    };
    if (threads > 1)
        on_each_thread(threads, take_pieces);
    else
        take_pieces();
    if (failure) std::rethrow_exception(failure);
}
