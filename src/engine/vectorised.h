// A function marked VECTORISED is compiled for several processors, and the loader takes the best that this one knows. What it does
// must not depend on which: nothing is contracted or reordered (see build.rs).
#pragma once

#if defined(__x86_64__) && defined(__linux__)
#define VECTORISED __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define VECTORISED
#endif

// Part of whatever function uses it, for that function's processor.
#define INLINE inline __attribute__((always_inline))
