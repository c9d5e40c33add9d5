// Kernels and constants of a module, by name.
#pragma once
#include <functional>
#include <map>
#include <string>

namespace stand_in {

struct Kernel {
    // The kernel with a launch's parameters, which are copied.
    std::function<void()> (*bind)(void **parameters);
    // Whether the PTX takes as many bytes for each of them.
    bool as_in_ptx;
};

extern const std::map<std::string, Kernel> KERNELS;
extern const std::map<std::string, std::pair<void *, size_t>> GLOBALS;

} // namespace stand_in
