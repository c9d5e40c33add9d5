// Counts what a program copies by the CUDA driver: a libcuda.so.1 that hands every call on to the driver's own. `build_copies` makes it.
//
// IMPASTO_DRIVER is the driver's own library; IMPASTO_COPIES the file that the counts go to when the program ends, as JSON. A way to copy that is not
// counted here ends the program: zero is to mean none.
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <dlfcn.h>

namespace {

struct Count {
    std::atomic<uint64_t> calls{0}, bytes{0};
    void add(uint64_t more) { ++calls, bytes += more; }
};

Count up, down, within;

void *driver() {
    static void *loaded = [] {
        const char *file = getenv("IMPASTO_DRIVER");
        void *found = file ? dlopen(file, RTLD_NOW | RTLD_LOCAL) : nullptr;
        if (!found) fprintf(stderr, "IMPASTO_DRIVER does not name the driver's library: %s\n", file ? dlerror() : "it is not set"), abort();
        return found;
    }();
    return loaded;
}

enum Memory { HOST = 1, DEVICE = 2 };

// A copy of rows; the same beginning of CUDA_MEMCPY2D.
struct Rows {
    size_t from_x, from_y;
    unsigned from_type;
    const void *from_host;
    uint64_t from_device;
    void *from_array;
    size_t from_pitch, to_x, to_y;
    unsigned to_type;
    void *to_host;
    uint64_t to_device;
    void *to_array;
    size_t to_pitch, bytes, rows;
};

void count(const Rows &copy) {
    if (copy.from_type != HOST && copy.from_type != DEVICE) fprintf(stderr, "not counted: rows of memory %u\n", copy.from_type), abort();
    if (copy.to_type != HOST && copy.to_type != DEVICE) fprintf(stderr, "not counted: rows to memory %u\n", copy.to_type), abort();
    (copy.from_type == HOST ? up : copy.to_type == HOST ? down : within).add(copy.bytes * copy.rows);
}

__attribute__((destructor)) void write_counts() {
    const char *name = getenv("IMPASTO_COPIES");
    FILE *file = name ? fopen(name, "w") : nullptr;
    if (!file) return;
    auto put = [&](const char *way, const Count &count, const char *end) {
        fprintf(file, "\"%s\": {\"calls\": %llu, \"bytes\": %llu}%s", way, (unsigned long long)count.calls, (unsigned long long)count.bytes, end);
    };
    fputs("{", file), put("up", up, ", "), put("down", down, ", "), put("within", within, "}\n");
    fclose(file);
}

template <class F> F own(const char *name) { return (F)dlsym(driver(), name); }

} // namespace

// What the stubs of all other functions jump to.
extern "C" void *impasto_find(const char *name) {
    void *found = dlsym(driver(), name);
    if (!found) fprintf(stderr, "the driver has no %s\n", name), abort();
    return found;
}

extern "C" void impasto_not_counted(const char *name) { fprintf(stderr, "not counted: %s\n", name), abort(); }

#define COUNTED(NAME, WHERE, TO, FROM, ...)                                                                                                \
    extern "C" int NAME(TO to, FROM from, size_t bytes __VA_OPT__(, ) __VA_ARGS__ __VA_OPT__(stream)) {                                    \
        static auto real = own<int (*)(TO, FROM, size_t __VA_OPT__(, ) __VA_ARGS__)>(#NAME);                                               \
        WHERE.add(bytes);                                                                                                                  \
        return real(to, from, bytes __VA_OPT__(, ) __VA_OPT__(stream));                                                                    \
    }

COUNTED(cuMemcpyHtoD_v2, up, uint64_t, const void *)
COUNTED(cuMemcpyHtoDAsync_v2, up, uint64_t, const void *, void *)
COUNTED(cuMemcpyDtoH_v2, down, void *, uint64_t)
COUNTED(cuMemcpyDtoHAsync_v2, down, void *, uint64_t, void *)
COUNTED(cuMemcpyDtoD_v2, within, uint64_t, uint64_t)
COUNTED(cuMemcpyDtoDAsync_v2, within, uint64_t, uint64_t, void *)

extern "C" int cuMemcpy2D_v2(const Rows *copy) {
    static auto real = own<int (*)(const Rows *)>("cuMemcpy2D_v2");
    return count(*copy), real(copy);
}

extern "C" int cuMemcpy2DUnaligned_v2(const Rows *copy) {
    static auto real = own<int (*)(const Rows *)>("cuMemcpy2DUnaligned_v2");
    return count(*copy), real(copy);
}

extern "C" int cuMemcpy2DAsync_v2(const Rows *copy, void *stream) {
    static auto real = own<int (*)(const Rows *, void *)>("cuMemcpy2DAsync_v2");
    return count(*copy), real(copy, stream);
}
