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

// Of a thread that it has not met, libtorch settles the number of threads at the first look, and so does what its headers leave in
// this program. Once both have looked, what is set stays.
inline void meet_this_thread() {
    at::get_num_threads();
    at::internal::lazy_init_num_threads();
}

// Calls `work` on each of so many threads, this one among them; on each, operations keep to that thread. `work` must not throw.
template <typename Work>
void on_each_thread(int threads, const Work &work) {
#ifdef _OPENMP
#pragma omp parallel num_threads(threads)
    {
        meet_this_thread();
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
