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

#ifdef __linux__
// Where the crew fills the processor, each of its threads stays on one core. The kernel otherwise leaves two of them on one core for
// long when another program wants the second: with one busy neighbour on two cores that costs a quarter of the speed.
inline void stay_on_core(int index, int threads) {
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0 || CPU_COUNT(&allowed) != threads) return;
    for (int core = 0, nth = 0; core < CPU_SETSIZE; core++) {
        if (!CPU_ISSET(core, &allowed) || nth++ != index) continue;
        cpu_set_t own;
        CPU_ZERO(&own);
        CPU_SET(core, &own);
        sched_setaffinity(0, sizeof own, &own);
        return;
    }
}
#endif

// What the crew's threads other than the caller's do when they are new. The caller's own is not only the crew's, and threads that it
// starts begin where it is: see `Stay`.
inline void settle_on_core(int index, int threads) {
#ifdef __linux__
    thread_local bool settled = false;
    if (!settled && index > 0) stay_on_core(index, threads);
    settled = true;
#endif
}

// Keeps the calling thread on the crew's first core for as long as this lives.
class Stay {
   public:
    explicit Stay(int threads) {
#ifdef __linux__
        known_ = sched_getaffinity(0, sizeof before_, &before_) == 0;
        if (known_) stay_on_core(0, threads);
#endif
    }
    ~Stay() {
#ifdef __linux__
        if (known_) sched_setaffinity(0, sizeof before_, &before_);
#endif
    }
    Stay(const Stay &) = delete;
    Stay &operator=(const Stay &) = delete;

#ifdef __linux__
   private:
    bool known_;
    cpu_set_t before_;
#endif
};

// Calls `work` on each of so many threads, this one among them; on each, operations keep to that thread. `work` must not throw.
template <typename Work>
void on_each_thread(int threads, const Work &work) {
#ifdef _OPENMP
#pragma omp parallel num_threads(threads)
    {
        meet_this_thread();
        settle_on_core(omp_get_thread_num(), threads);
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
