// The kernels, compiled for the host, by their names. `entries.inc` has those of the PTX, with the bytes of their parameters.
#include "instructions.hpp"
#include "kernels.hpp"
#include "../../src/engine/cuda/kernels/kernels.cu"

#include <tuple>
#include <utility>

namespace stand_in {

template <class... A, size_t... I> std::function<void()> bound(void (*kernel)(A...), void **parameters, std::index_sequence<I...>) {
    auto copied = std::make_tuple(*(std::remove_const_t<A> *)parameters[I]...);
    return [kernel, copied] { std::apply(kernel, copied); };
}

template <auto KERNEL> struct Of;

template <class... A, void (*KERNEL)(A...)> struct Of<KERNEL> {
    static std::function<void()> bind(void **parameters) { return bound(KERNEL, parameters, std::index_sequence_for<A...>()); }
    static std::vector<size_t> sizes() { return {sizeof(A)...}; }
};

#define ENTRY(NAME, ...) {#NAME, {Of<NAME>::bind, Of<NAME>::sizes() == std::vector<size_t>{__VA_ARGS__}}},
#define GLOBAL(NAME)
const std::map<std::string, Kernel> KERNELS = {
#include "entries.inc"
};
#undef ENTRY
#undef GLOBAL

#define ENTRY(NAME, ...)
#define GLOBAL(NAME) {#NAME, {(void *)&NAME, sizeof NAME}},
const std::map<std::string, std::pair<void *, size_t>> GLOBALS = {
#include "entries.inc"
};

} // namespace stand_in
