"""What the processor and the operating system allow, compiled for the baseline so that it runs anywhere."""

cdef extern from *:
    """
    #if defined(__x86_64__)
    #include <cpuid.h>
    #include <stdint.h>

    /* The register sets that the operating system saves (XCR0), 0 where it does not say. */
    static uint64_t bp_saved_registers(void) {
        unsigned a, b, c, d;
        if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & (1u << 27))) return 0;
        uint32_t low, high;
        __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
        return ((uint64_t)high << 32) | low;
    }

    /* 1 for x86-64, 2 to 4 for the levels of the x86-64 psABI that can be used. */
    static int bp_x86_level(void) {
        unsigned a, b, c1 = 0, d, b7 = 0, c81 = 0;
        __get_cpuid(1, &a, &b, &c1, &d);
        __get_cpuid_count(7, 0, &a, &b7, &b, &d);
        __get_cpuid(0x80000001u, &a, &b, &c81, &d);
        const uint64_t saved = bp_saved_registers();
        /* SSE3, SSSE3, CMPXCHG16B, SSE4.1, SSE4.2, POPCNT; LAHF */
        const unsigned v2 = 1u | 1u << 9 | 1u << 13 | 1u << 19 | 1u << 20 | 1u << 23;
        if ((c1 & v2) != v2 || !(c81 & 1u)) return 1;
        /* FMA, MOVBE, OSXSAVE, AVX, F16C; BMI1, AVX2, BMI2; LZCNT; XMM and YMM saved */
        const unsigned v3 = 1u << 12 | 1u << 22 | 1u << 27 | 1u << 28 | 1u << 29;
        const unsigned v3_7 = 1u << 3 | 1u << 5 | 1u << 8;
        if ((c1 & v3) != v3 || (b7 & v3_7) != v3_7 || !(c81 & 1u << 5) || (saved & 6u) != 6u) return 2;
        /* AVX-512 F, DQ, CD, BW, VL; mask registers and ZMM saved */
        const unsigned v4_7 = 1u << 16 | 1u << 17 | 1u << 28 | 1u << 30 | 1u << 31;
        if ((b7 & v4_7) != v4_7 || (saved & 0xe6u) != 0xe6u) return 3;
        return 4;
    }

    static void bp_cpu_name(char *name) {
        unsigned *words = (unsigned *)name;
        unsigned most = __get_cpuid_max(0x80000000u, 0);
        for (unsigned leaf = 0x80000002u; leaf <= 0x80000004u && most >= 0x80000004u; leaf++, words += 4)
            __get_cpuid(leaf, words, words + 1, words + 2, words + 3);
    }
    #else
    static int bp_x86_level(void) { return 0; }
    static void bp_cpu_name(char *name) { (void)name; }
    #endif

    #if defined(__aarch64__)
    #define BP_AARCH64 1
    #else
    #define BP_AARCH64 0
    #endif
    #if defined(BPCORE_SANITIZED)
    #define BP_BUILD "Sanitized"
    #elif defined(__OPTIMIZE__) && defined(CYTHON_WITHOUT_ASSERTIONS)
    #define BP_BUILD "Release"
    #else
    #define BP_BUILD "Debug"
    #endif
    """
    int bp_x86_level()
    void bp_cpu_name(char *name)
    const char *BP_BUILD
    int BP_AARCH64


def usable_levels():
    """The instruction-set levels this process may run, best first; always at least "generic"."""
    if BP_AARCH64:
        return ("neon", "generic")
    x86 = {4: ("v4", "v3", "v2"), 3: ("v3", "v2"), 2: ("v2",)}
    return x86.get(bp_x86_level(), ()) + ("generic",)


def name():
    """The processor's own name, "" where it has none to read."""
    cdef char[49] text
    text[0] = text[48] = 0
    bp_cpu_name(text)
    return (<bytes> text).decode("ascii", "replace").strip()


def build():
    """"Release"; "Debug" when checks and assertions are compiled in; "Sanitized" with the compiler's sanitizers."""
    return BP_BUILD.decode("ascii")
