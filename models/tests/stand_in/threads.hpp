// A block of a kernel's threads, one after the other on one thread of the host.
//
// A thread runs until it ends or has to wait: at a barrier for its block, at an instruction of a whole warp for the other lanes. Lanes
// that wait at different places are an error, as are barriers that a thread of the block never comes to.
#pragma once
#include <algorithm>
#include <csetjmp>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <sys/mman.h>
#include <ucontext.h>
#include <vector>

namespace stand_in {

struct Index {
    unsigned x, y, z;
};

// What is wrong with the code under test: there is nothing to go on with.
[[noreturn]] inline void fault(const char *what) {
    fprintf(stderr, "stand-in for a device: %s\n", what);
    abort();
}

constexpr unsigned WARP = 32;
constexpr size_t STACK = 128 << 10;

// An instruction that all lanes of a warp carry out together.
struct Collective {
    virtual void run(void *const (&operands)[WARP]) const = 0;
};

// Matrices to be multiplied, as a lane has them: added to `sums` before the lane waits for anything else. To change lanes for each would
// take most of the time.
struct Product {
    float *sums;
    uint32_t a[4], b[2];
};

struct Copy {
    char *to;
    const char *from;
};

struct Thread {
    enum { READY, AT_BARRIER, IN_WARP, DONE } state;
    Index index;
    const Collective *instruction;
    void *operands;
    std::vector<Product> products;
    // Asynchronous copies: of this moment, and groups that were committed.
    std::vector<Copy> copies;
    std::vector<std::vector<Copy>> groups;
    jmp_buf here;
    char *stack;
    bool started;
};

// For all lanes.
void multiply(const std::vector<Product> *const (&lanes)[WARP], size_t at);

class Block {
  public:
    static Block &current() {
        static Block block;
        return block;
    }

    Index grid, block, size;
    Thread *thread = nullptr;

    // Shared memory, which ends where the page does: what reads or writes beyond it is stopped by the processor.
    char *shared = nullptr;
    unsigned shared_bytes = 0;

    void run(const std::function<void()> &kernel, Index block_size, unsigned bytes) {
        work = &kernel, size = block_size;
        reserve(size.x * size.y * size.z);
        share(bytes);
        unsigned count = size.x * size.y * size.z;
        for (unsigned i = 0; i < count; ++i) {
            Thread &t = threads[i];
            t.state = Thread::READY, t.index = {i % size.x, i / size.x % size.y, i / size.x / size.y};
            t.copies.clear(), t.groups.clear();
        }
        while (!finished(count)) {
            for (unsigned first = 0; first < count; first += WARP) run_warp(first, std::min(first + WARP, count));
            release(count);
        }
        for (unsigned i = 0; i < count; ++i)
            if (!threads[i].copies.empty()) fault("a thread ends with copies that were not committed");
    }

    // From within a kernel: waits for the block.
    void barrier() { wait(Thread::AT_BARRIER); }

    // From within a kernel: waits for the warp, which carries out the instruction.
    void together(const Collective &instruction, void *operands) {
        thread->instruction = &instruction, thread->operands = operands;
        wait(Thread::IN_WARP);
    }

  private:
    const std::function<void()> *work = nullptr;
    std::vector<Thread> threads;
    jmp_buf scheduler;
    char *pages = nullptr;
    static constexpr size_t PAGES = 256 << 10;

    void wait(decltype(Thread::state) state) {
        thread->state = state;
        if (!_setjmp(thread->here)) _longjmp(scheduler, 1);
    }

    static void begin() {
        for (;;) {
            (*current().work)();
            current().wait(Thread::DONE);
        }
    }

    void resume(Thread &t) {
        thread = &t;
        if (_setjmp(scheduler)) return;
        if (t.started) _longjmp(t.here, 1);
        t.started = true;
        ucontext_t context;
        getcontext(&context);
        context.uc_stack.ss_sp = t.stack, context.uc_stack.ss_size = STACK, context.uc_link = nullptr;
        makecontext(&context, begin, 0);
        setcontext(&context);
    }

    // As far as its lanes get without the rest of the block.
    void run_warp(unsigned first, unsigned end) {
        for (;;) {
            unsigned waiting = 0;
            for (unsigned i = first; i < end; ++i) {
                if (threads[i].state == Thread::READY) resume(threads[i]);
                waiting += threads[i].state == Thread::IN_WARP;
            }
            multiply_all(first, end);
            if (!waiting) return;
            if (waiting != WARP) fault("an instruction of a warp that not all lanes come to");
            void *operands[WARP];
            for (unsigned lane = 0; lane < WARP; ++lane) {
                if (threads[first + lane].instruction != threads[first].instruction) fault("lanes at different instructions");
                operands[lane] = threads[first + lane].operands;
                threads[first + lane].state = Thread::READY;
            }
            threads[first].instruction->run(operands);
        }
    }

    void multiply_all(unsigned first, unsigned end) {
        size_t count = threads[first].products.size();
        for (unsigned i = first; i < end; ++i)
            if (threads[i].products.size() != count) fault("products that not all lanes come to");
        if (!count) return;
        if (end - first != WARP) fault("a product of some lanes");
        const std::vector<Product> *lanes[WARP];
        for (unsigned lane = 0; lane < WARP; ++lane) lanes[lane] = &threads[first + lane].products;
        for (size_t at = 0; at < count; ++at) multiply(lanes, at);
        for (unsigned i = first; i < end; ++i) threads[i].products.clear();
    }

    void release(unsigned count) {
        unsigned at_barrier = 0;
        for (unsigned i = 0; i < count; ++i) at_barrier += threads[i].state == Thread::AT_BARRIER;
        if (!at_barrier) return;
        if (at_barrier != count) fault("a barrier that not all threads come to");
        for (unsigned i = 0; i < count; ++i) threads[i].state = Thread::READY;
    }

    bool finished(unsigned count) const {
        for (unsigned i = 0; i < count; ++i)
            if (threads[i].state != Thread::DONE) return false;
        return true;
    }

    void reserve(unsigned count) {
        while (threads.size() < count) {
            void *stack = mmap(nullptr, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
            if (stack == MAP_FAILED) fault("no memory for a thread's stack");
            threads.emplace_back();
            threads.back().stack = (char *)stack, threads.back().started = false;
        }
    }

    // Memory that nobody has written to is full of numbers that are none.
    void share(unsigned bytes) {
        if (!pages) {
            void *mapped = mmap(nullptr, PAGES + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
            if (mapped == MAP_FAILED || mprotect((char *)mapped + PAGES, 4096, PROT_NONE)) fault("no shared memory");
            pages = (char *)mapped;
        }
        shared = pages + PAGES - (bytes + 15) / 16 * 16, shared_bytes = bytes;
        memset(shared, 0xff, bytes);
    }
};

} // namespace stand_in
