// How the C++ side answers Rust: nullptr, or a malloc'ed message that the caller frees. No exception crosses into Rust.
#pragma once

#include <cstring>
#include <exception>

template <typename Body>
char *guarded(Body body) {
    try {
        body();
        return nullptr;
    } catch (const std::exception &error) {
        return strdup(error.what());
    } catch (...) {
        return strdup("an unknown C++ exception");
    }
}
