// A stand-in for the NVIDIA driver: as much of libcuda.so.1 as the engine asks for, on the host's processor.
//
// It is for tests on machines without a GPU. The kernels are compiled from the source that the PTX is made of, and run thread by thread
// (threads.hpp); what is put on a stream is done as late as can be, when somebody waits for it, so that a wait that is missing shows.
// Fresh memory is full of numbers that are none, and what reads or writes 256 bytes or more beyond its end is stopped by the processor. It
// says nothing of speed, of the PTX itself (but for names and bytes of parameters), of work that begins too early, or of threads of a
// block that are at the same place at the same time.
//
// It shows itself as a card of compute capability 8.6, whose shared memory is the least of those that the engine serves, or of as many
// bytes as IMPASTO_STAND_IN_SHARED says; as a driver of CUDA 12.8, or of what IMPASTO_STAND_IN_VERSION says.
#include "device.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <unistd.h>
#include <utility>

using stand_in::Block;
using stand_in::Index;

namespace {

// Bytes that a block may have.
int most_shared() {
    const char *asked = getenv("IMPASTO_STAND_IN_SHARED");
    return asked ? atoi(asked) : 99 << 10;
}

// Only launches are recorded: the engine captures nothing else.
Result put(void *handle, Work work) {
    Stream &stream = stream_of(handle);
    if (stream.capturing) stand_in::fault("something else than a launch while a stream is captured");
    stream.put(std::move(work));
    return OK;
}

void run(const Work &kernel, Index grid, Index size, unsigned shared) {
    Block &block = Block::current();
    block.grid = grid;
    for (unsigned z = 0; z < grid.z; ++z)
        for (unsigned y = 0; y < grid.y; ++y)
            for (unsigned x = 0; x < grid.x; ++x) {
                block.block = {x, y, z};
                block.run(kernel, size, shared);
            }
}

} // namespace

#define API extern "C" Result

// Has the n-th call from here on of this thread that may fail, fail; none where n is 0. What is left of n.
extern "C" int impasto_stand_in_fail_at(int n) { return std::exchange(fails_in, n); }

// The same, but so does every later one of this thread, as where a device is lost, until n is 0. What is left is -1 then.
extern "C" int impasto_stand_in_lose_at(int n) { return std::exchange(lost_in, n); }

static bool is_lost() {
    if (lost_in > 0 && !--lost_in) lost_in = LOST;
    return lost_in == LOST;
}

#define MAY_FAIL                                                                                                                          \
    if (fails_in && !--fails_in) return OUT_OF_MEMORY;                                                                                     \
    if (is_lost()) return ILLEGAL_ADDRESS
#define LOCKED std::lock_guard<std::recursive_mutex> lock(mutex)

API cuInit(unsigned) { return OK; }

API cuDriverGetVersion(int *version) {
    const char *asked = getenv("IMPASTO_STAND_IN_VERSION");
    return *version = asked ? atoi(asked) : 12080, OK;
}

API cuGetErrorName(int error, const char **name) {
    static const std::map<int, const char *> NAMES = {{OUT_OF_MEMORY, "CUDA_ERROR_OUT_OF_MEMORY"},
                                                      {ILLEGAL_ADDRESS, "CUDA_ERROR_ILLEGAL_ADDRESS"}};
    auto found = NAMES.find(error);
    return *name = found == NAMES.end() ? "CUDA_ERROR" : found->second, OK;
}

API cuGetErrorString(int error, const char **text) {
    static const std::map<int, const char *> TEXTS = {{INVALID_VALUE, "invalid argument"},   {OUT_OF_MEMORY, "out of memory"},
                                                      {INVALID_DEVICE, "invalid device"},    {INVALID_IMAGE, "not the kernels of this PTX"},
                                                      {ILLEGAL_ADDRESS, "an illegal memory access was encountered"},
                                                      {NOT_FOUND, "named symbol not found"}, {CAPTURING, "the stream is being captured"}};
    auto found = TEXTS.find(error);
    return *text = found == TEXTS.end() ? "of the stand-in" : found->second, OK;
}

API cuDeviceGetCount(int *count) { return *count = 1, OK; }

API cuDeviceGet(int *device, int index) { return *device = index, index == 0 ? OK : INVALID_DEVICE; }

API cuDeviceGetName(char *name, int length, int) { return snprintf(name, length, "stand-in for tests"), OK; }

API cuDeviceGetAttribute(int *value, int attribute, int) {
    enum { MAJOR = 75, MINOR = 76, SHARED = 97, POOLS = 115 };
    *value = attribute == MAJOR ? 8 : attribute == MINOR ? 6 : attribute == SHARED ? most_shared() : attribute == POOLS ? 1 : 0;
    return OK;
}

API cuDevicePrimaryCtxRetain(void **context, int) { return *context = &the_context, OK; }

API cuDevicePrimaryCtxRelease_v2(int) { return OK; }

API cuCtxGetCurrent(void **context) { return *context = current_context, OK; }

API cuCtxSetCurrent(void *context) { return current_context = context, OK; }

API cuCtxSetFlags(unsigned) { return OK; }

API cuCtxSynchronize() {
    LOCKED;
    for (Stream &stream : streams) stream.reach(stream.queued);
    return OK;
}

API cuMemGetInfo_v2(size_t *free, size_t *total) {
    LOCKED;
    return *free = MEMORY - taken, *total = MEMORY, OK;
}

API cuMemAlloc_v2(uint64_t *at, size_t bytes) {
    MAY_FAIL;
    LOCKED;
    return take(at, bytes);
}

API cuMemAllocAsync(uint64_t *at, size_t bytes, void *) { return cuMemAlloc_v2(at, bytes); }

API cuMemFree_v2(uint64_t at) {
    LOCKED;
    return give_back(at);
}

API cuMemFreeAsync(uint64_t at, void *stream) {
    LOCKED;
    return put(stream, [at] { give_back(at); });
}

API cuMemHostAlloc(void **at, size_t bytes, unsigned) {
    MAY_FAIL;
    LOCKED;
    return *at = allocate(pinned, bytes), *at ? OK : OUT_OF_MEMORY;
}

API cuMemFreeHost(void *at) {
    LOCKED;
    return release(pinned, (uintptr_t)at);
}

API cuMemAllocHost_v2(void **at, size_t bytes) { return cuMemHostAlloc(at, bytes, 0); }

API cuMemAllocPitch_v2(uint64_t *at, size_t *pitch, size_t bytes, size_t rows, unsigned) {
    *pitch = (bytes + 511) / 512 * 512;
    return cuMemAlloc_v2(at, *pitch * rows);
}

API cuMemsetD8Async(uint64_t at, unsigned char value, size_t bytes, void *stream) {
    MAY_FAIL;
    LOCKED;
    return put(stream, [=] { memset((void *)at, value, bytes); });
}

// As the driver does: pages that may move are read before this returns, others when it comes to them.
API cuMemcpyHtoDAsync_v2(uint64_t to, const void *from, size_t bytes, void *stream) {
    MAY_FAIL;
    LOCKED;
    if (lies_in(pinned, from)) return put(stream, [=] { memcpy((void *)to, from, bytes); });
    auto copied = std::make_shared<std::vector<char>>((const char *)from, (const char *)from + bytes);
    return put(stream, [=] { memcpy((void *)to, copied->data(), bytes); });
}

API cuMemcpyDtoHAsync_v2(void *to, uint64_t from, size_t bytes, void *stream) {
    MAY_FAIL;
    LOCKED;
    put(stream, [=] { memcpy(to, (void *)from, bytes); });
    if (!lies_in(pinned, to)) stream_of(stream).reach(stream_of(stream).queued);
    return OK;
}

API cuMemcpyDtoDAsync_v2(uint64_t to, uint64_t from, size_t bytes, void *stream) {
    LOCKED;
    return put(stream, [=] { memcpy((void *)to, (void *)from, bytes); });
}

API cuStreamSynchronize(void *stream);

struct Copy2D {
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

// Between the device and pages that do not move.
API cuMemcpy2DAsync_v2(const Copy2D *asked, void *stream) {
    MAY_FAIL;
    LOCKED;
    enum { HOST = 1, DEVICE = 2 };
    Copy2D copy = *asked;
    auto fits = [](unsigned type, const void *host) { return type == DEVICE || (type == HOST && lies_in(pinned, host)); };
    if (!fits(copy.from_type, copy.from_host) || !fits(copy.to_type, copy.to_host)) return INVALID_VALUE;
    if (copy.bytes > copy.from_pitch || copy.bytes > copy.to_pitch) return INVALID_VALUE;
    const char *from = copy.from_type == HOST ? (const char *)copy.from_host : (const char *)copy.from_device;
    char *to = copy.to_type == HOST ? (char *)copy.to_host : (char *)copy.to_device;
    return put(stream, [=] {
        for (size_t y = 0; y < copy.rows; ++y) memcpy(to + y * copy.to_pitch, from + y * copy.from_pitch, copy.bytes);
    });
}

API cuMemcpy2D_v2(const Copy2D *asked) {
    LOCKED;
    Result result = cuMemcpy2DAsync_v2(asked, nullptr);
    return result ? result : cuStreamSynchronize(nullptr);
}

API cuStreamCreate(void **stream, unsigned) {
    LOCKED;
    return *stream = &streams.emplace_back(), OK;
}

API cuStreamCreateWithPriority(void **stream, unsigned flags, int) { return cuStreamCreate(stream, flags); }

API cuStreamDestroy_v2(void *stream) {
    LOCKED;
    return stream_of(stream).reach(stream_of(stream).queued), OK;
}

API cuStreamSynchronize(void *stream) {
    LOCKED;
    if (stream_of(stream).capturing) return CAPTURING;
    return stream_of(stream).reach(stream_of(stream).queued), OK;
}

API cuStreamWaitEvent(void *stream, void *handle, unsigned) {
    MAY_FAIL;
    LOCKED;
    Event event = *(Event *)handle;
    return put(stream, [event] {
        if (event.stream) event.stream->reach(event.position);
    });
}

API cuEventCreate(void **event, unsigned) { return *event = new Event, OK; }

API cuEventDestroy_v2(void *event) {
    LOCKED;
    Event *destroyed = (Event *)event;
    if (destroyed->stream) destroyed->stream->reach(destroyed->position);
    return delete destroyed, OK;
}

API cuEventRecord(void *handle, void *stream) {
    MAY_FAIL;
    LOCKED;
    Event *event = (Event *)handle;
    put(stream, [event] { event->time = std::chrono::steady_clock::now(); });
    return event->stream = &stream_of(stream), event->position = event->stream->queued, OK;
}

API cuEventQuery(void *handle) {
    LOCKED;
    Event *event = (Event *)handle;
    return event->stream && event->stream->done < event->position ? NOT_READY : OK;
}

API cuEventSynchronize(void *handle) {
    MAY_FAIL;
    LOCKED;
    Event *event = (Event *)handle;
    if (event->stream) event->stream->reach(event->position);
    return OK;
}

API cuEventElapsedTime_v2(float *milliseconds, void *start, void *end) {
    LOCKED;
    cuEventSynchronize(start), cuEventSynchronize(end);
    *milliseconds = std::chrono::duration<float, std::milli>(((Event *)end)->time - ((Event *)start)->time).count();
    return OK;
}

API cuEventElapsedTime(float *milliseconds, void *start, void *end) { return cuEventElapsedTime_v2(milliseconds, start, end); }

API cuModuleLoadData(void **module, const void *) {
    for (const auto &[name, kernel] : stand_in::KERNELS)
        if (!kernel.as_in_ptx) return fprintf(stderr, "the PTX takes other parameters than the source of %s\n", name.c_str()), INVALID_IMAGE;
    return *module = &the_context, OK;
}

API cuModuleUnload(void *) { return OK; }

API cuModuleGetFunction(void **function, void *, const char *name) {
    auto found = stand_in::KERNELS.find(name);
    if (found == stand_in::KERNELS.end()) return NOT_FOUND;
    // As small as they are, functions stay.
    return *function = new Function{&found->second}, OK;
}

API cuModuleGetGlobal_v2(uint64_t *at, size_t *bytes, void *, const char *name) {
    auto found = stand_in::GLOBALS.find(name);
    if (found == stand_in::GLOBALS.end()) return NOT_FOUND;
    return *at = (uint64_t)found->second.first, *bytes = found->second.second, OK;
}

API cuFuncSetAttribute(void *function, int, int value) {
    if (value > most_shared()) return INVALID_VALUE;
    return ((Function *)function)->shared = std::max(value, PLAIN_SHARED), OK;
}

API cuLaunchKernel(void *handle, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned shared, void *on,
                   void **parameters, void **) {
    MAY_FAIL;
    LOCKED;
    const Function &function = *(Function *)handle;
    if (!gx || !gy || !gz || gy > 65535 || bx * by * bz > 1024 || !bx || (int)shared > function.shared) return INVALID_VALUE;
    Work kernel = function.kernel->bind(parameters);
    Index grid = {gx, gy, gz}, size = {bx, by, bz};
    Work work = [=] { run(kernel, grid, size, shared); };
    Stream &stream = stream_of(on);
    if (stream.capturing) stream.captured.push_back(std::move(work));
    else stream.put(std::move(work));
    return OK;
}

API cuStreamBeginCapture_v2(void *stream, int) {
    LOCKED;
    if (!stream) return INVALID_VALUE;
    return stream_of(stream).capturing = true, OK;
}

API cuStreamEndCapture(void *stream, void **graph) {
    LOCKED;
    Stream &captured = stream_of(stream);
    captured.capturing = false;
    *graph = new std::vector<Work>(std::move(captured.captured));
    return captured.captured.clear(), OK;
}

API cuGraphInstantiateWithFlags(void **made, void *graph, unsigned long long) {
    return *made = new std::vector<Work>(*(std::vector<Work> *)graph), OK;
}

API cuGraphLaunch(void *graph, void *stream) {
    MAY_FAIL;
    LOCKED;
    for (const Work &work : *(std::vector<Work> *)graph) put(stream, work);
    return OK;
}

API cuGraphExecDestroy(void *graph) { return delete (std::vector<Work> *)graph, OK; }

API cuGraphDestroy(void *graph) { return delete (std::vector<Work> *)graph, OK; }

// What GStreamer's libgstcuda asks for besides; contexts of its own, and what it shares with OpenGL, it has no use for here.
API cuCtxPushCurrent_v2(void *context) { return contexts.push_back(current_context), current_context = context, OK; }

API cuCtxPopCurrent_v2(void **context) {
    if (contexts.empty()) return INVALID_VALUE;
    if (context) *context = current_context;
    return current_context = contexts.back(), contexts.pop_back(), OK;
}

API cuStreamDestroy(void *stream) { return cuStreamDestroy_v2(stream); }

API cuDeviceCanAccessPeer(int *can, int, int) { return *can = 0, OK; }

#define UNSUPPORTED(NAME)                                                                                                                 \
    extern "C" int NAME(...) { return 801; }

UNSUPPORTED(cuCtxCreate_v2)
UNSUPPORTED(cuCtxDestroy_v2)
UNSUPPORTED(cuCtxEnablePeerAccess)
UNSUPPORTED(cuCtxDisablePeerAccess)
UNSUPPORTED(cuGraphicsMapResources)
UNSUPPORTED(cuGraphicsUnmapResources)
UNSUPPORTED(cuGraphicsUnregisterResource)
UNSUPPORTED(cuGraphicsGLRegisterImage)
UNSUPPORTED(cuGraphicsGLRegisterBuffer)
UNSUPPORTED(cuGraphicsResourceSetMapFlags_v2)
UNSUPPORTED(cuGraphicsSubResourceGetMappedArray)
UNSUPPORTED(cuGraphicsResourceGetMappedPointer_v2)
UNSUPPORTED(cuGLGetDevices_v2)
UNSUPPORTED(cuTexObjectCreate)
UNSUPPORTED(cuTexObjectDestroy)
