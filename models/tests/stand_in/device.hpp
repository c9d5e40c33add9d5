// The stand-in's memory, and its streams, which do their work when somebody waits for it.
#pragma once
#include "kernels.hpp"
#include "threads.hpp"

#include <chrono>
#include <deque>
#include <map>
#include <mutex>

enum Result { OK = 0, INVALID_VALUE = 1, OUT_OF_MEMORY = 2, INVALID_DEVICE = 101, INVALID_IMAGE = 200, NOT_FOUND = 500, NOT_READY = 600, ILLEGAL_ADDRESS = 700, CAPTURING = 900 };

namespace {

using stand_in::Kernel;

// Bytes of shared memory that a block may have without asking.
constexpr int PLAIN_SHARED = 48 << 10;
constexpr size_t MEMORY = size_t(8) << 30;

typedef std::function<void()> Work;

struct Stream {
    std::deque<Work> waiting;
    uint64_t done = 0, queued = 0;
    bool capturing = false;
    std::vector<Work> captured;

    uint64_t put(Work work) {
        waiting.push_back(std::move(work));
        return ++queued;
    }

    // All work up to the `position`-th.
    void reach(uint64_t position) {
        while (done < position) {
            Work work = std::move(waiting.front());
            waiting.pop_front();
            ++done;
            work();
        }
    }
};

struct Event {
    Stream *stream = nullptr;
    uint64_t position = 0;
    std::chrono::steady_clock::time_point time;
};

struct Function {
    const Kernel *kernel;
    int shared = PLAIN_SHARED;
};

std::recursive_mutex mutex;
std::map<uintptr_t, size_t> on_device, pinned;
size_t taken = 0;
// Streams stay, since events may name them.
std::deque<Stream> streams(1);
thread_local void *current_context = nullptr;
constexpr int LOST = -1;
thread_local int fails_in = 0, lost_in = 0;
thread_local std::vector<void *> contexts;
int the_context;

Stream &stream_of(void *handle) { return handle ? *(Stream *)handle : streams.front(); }

size_t pages_of(size_t bytes) { return (bytes + 4095) / 4096 * 4096; }

// Memory that ends, as far as its alignment lets it, before a page that nobody may touch.
void *allocate(std::map<uintptr_t, size_t> &known, size_t bytes) {
    size_t pages = pages_of(bytes);
    void *mapped = mmap(nullptr, pages + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED || mprotect((char *)mapped + pages, 4096, PROT_NONE)) return nullptr;
    memset(mapped, 0xff, pages);
    char *start = (char *)mapped + (pages - bytes) / 256 * 256;
    known[(uintptr_t)start] = bytes;
    return start;
}

Result release(std::map<uintptr_t, size_t> &known, uintptr_t at) {
    auto found = known.find(at);
    if (found == known.end()) return INVALID_VALUE;
    munmap((void *)(at / 4096 * 4096), pages_of(found->second) + 4096);
    known.erase(found);
    return OK;
}

Result take(uint64_t *at, size_t bytes) {
    if (!bytes) return INVALID_VALUE;
    if (taken + bytes > MEMORY) return OUT_OF_MEMORY;
    *at = (uint64_t)allocate(on_device, bytes);
    if (*at) taken += bytes;
    return *at ? OK : OUT_OF_MEMORY;
}

Result give_back(uint64_t at) {
    auto found = on_device.find(at);
    if (found == on_device.end()) return INVALID_VALUE;
    taken -= found->second;
    return release(on_device, at);
}

bool lies_in(const std::map<uintptr_t, size_t> &known, const void *at) {
    auto after = known.upper_bound((uintptr_t)at);
    if (after == known.begin()) return false;
    auto [start, bytes] = *std::prev(after);
    return (uintptr_t)at < start + bytes;
}

} // namespace
