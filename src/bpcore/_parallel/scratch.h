/* Memory that a thread works in during one call, which is more than a small stack holds: threads have 128 kB with musl,
   and what OMP_STACKSIZE or threading.stack_size says. Each thread has its own, in each module; the system makes it when
   the thread first asks for it (glibc) or begins (musl), and frees it with the thread. */

#ifndef BPCORE_SCRATCH_H
#define BPCORE_SCRATCH_H

#include <stdint.h>

#define BP_PANEL_BYTES 98304     /* of packed b: 512 rows of the widest tile, which come from the second-level cache */
#define BP_DOT_BYTES 32768       /* columns of b for dot products: 8 of 1024 float32 */
#define BP_COPIES_BYTES 110592   /* of what tiles read for a gradient: 48 rows, 256 terms, and a number more for each 8 */

static __thread __attribute__((unused)) unsigned char bp_scratch[BP_PANEL_BYTES + BP_DOT_BYTES + BP_COPIES_BYTES + 64];

/* They begin on a cache line, and are used by one function each: none of these calls itself. */
static inline unsigned char *bp_panel_memory(void) { return bp_scratch + (-(uintptr_t)bp_scratch & 63); }
static inline unsigned char *bp_dot_memory(void) { return bp_panel_memory() + BP_PANEL_BYTES; }
static inline unsigned char *bp_copies_memory(void) { return bp_dot_memory() + BP_DOT_BYTES; }

#endif
