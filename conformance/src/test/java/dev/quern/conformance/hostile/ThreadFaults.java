package dev.quern.conformance.hostile;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.quern.data.BlockFormat;
import dev.quern.data.F32Matrix;
import dev.quern.data.KvCache;
import dev.quern.data.KvFormat;
import dev.quern.data.ScalePlane;
import dev.quern.data.Task;
import dev.quern.data.WeightMatrix;
import dev.quern.data.Workers;
import dev.quern.data.Workspace;
import dev.quern.op.AttentionKernel;
import dev.quern.op.AttentionSpec;
import dev.quern.op.Kernel;
import dev.quern.op.LinearKernel;
import dev.quern.op.LinearPacker;
import dev.quern.op.LinearSpec;
import dev.quern.op.Numerics;
import dev.quern.op.RmsNormKernel;
import dev.quern.op.RmsNormSpec;
import dev.quern.op.RopeKernel;
import dev.quern.op.RopeSpec;
import dev.quern.op.SwiGluKernel;
import dev.quern.op.SwiGluSpec;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// Faults of who runs what: they show at some numbers of workers, with some workers only, in some
/// order of the tasks, with two calls at a time, or after a failure; or the work is not the
/// workers' at all.
///
/// Most put workers of their own between the right kernel and the caller's, and change its runs.
/// Two hang, one of them only with real threads, and one keeps a session waiting while another is
/// at work: all three waits end when the thread is interrupted. No thread goes on after its call.
final class ThreadFaults {
  private static final int LINE = 64;
  private static final int TILE = 16;

  private static final Workspace SEQUENTIAL =
      new Workspace(MemorySegment.NULL, Workers.sequential());

  private static final VarHandle FLAG = JAVA_INT.varHandle();

  private static final Set<BlockFormat> FLOATS =
      Set.of(BlockFormat.F32, BlockFormat.F16, BlockFormat.BF16);

  private static final Set<BlockFormat> K_QUANTS =
      Set.of(BlockFormat.Q4_K, BlockFormat.Q5_K, BlockFormat.Q6_K);

  private ThreadFaults() {}

  static List<Hostile> all() {
    return Stream.of(packing(), linear(), attention(), rmsNorm(), rope(), swiGlu())
        .flatMap(List::stream)
        .toList();
  }

  private static List<Hostile> packing() {
    return List.of(
        row(
            "linear-k-quants-tiles-left-over-by-many-packers",
            "linear",
            "P11",
            "More than 16 workers pack tiles / workers of a K-quant each; nobody packs the rest.",
            hostile -> hostile.linear(ThreadFaults::tilesLeftOver)),
        row(
            "linear-stack-packed-by-nested-runs",
            "linear",
            "P13",
            "A stack of three is packed by a task for each matrix, which runs tasks for its rows.",
            hostile -> hostile.linear(ThreadFaults::packedByNestedRuns)),
        row(
            "linear-packed-by-threads-of-its-own",
            "linear",
            "P13",
            "Half of a matrix of 1 Mi weights is packed by a thread that pack starts for it.",
            hostile -> hostile.linear(ThreadFaults::packedByOwnThread)),
        row(
            "linear-int4-half-packed-after-a-failure",
            "linear",
            "P18",
            "INT4: a failure while packing is caught, and the kernel has what was packed by then.",
            hostile -> hostile.linear(ThreadFaults::failureOfPackingCaught)),
        row(
            "linear-pack-holds-the-lock-that-its-tasks-take",
            "linear",
            "P13",
            "pack holds a lock while its tasks run, and they take it: other threads wait for ever.",
            hostile -> hostile.linear(ThreadFaults::lockedAgainByTasks)));
  }

  private static List<Hostile> linear() {
    return List.of(
        row(
            "linear-adds-thirds-of-k-as-they-end",
            "linear",
            "P11",
            "K is split in three from 8,192 float inputs on; sums of parts are added as they end.",
            hostile -> hostile.linear(ThreadFaults::thirdsAddedAsTheyEnd)),
        row(
            "linear-odd-worker-sums-a-part-of-k",
            "linear",
            "P11",
            "Workers go in pairs; an odd one out sums the last 1/workers of K apart: other bits.",
            hostile -> hostile.linear(ThreadFaults::oddWorkerSumsApart)),
        row(
            "linear-left-over-tiles-wait-for-the-last-worker",
            "linear",
            "P11",
            "Tiles that don't divide among 9 workers or more are the last one's: it may not come.",
            hostile -> hostile.linear(ThreadFaults::leftOverForTheLastWorker)),
        row(
            "linear-alone-takes-the-common-pool",
            "linear",
            "P13",
            "With one worker and 64 rows, it helps itself to a parallel stream of the common pool.",
            hostile -> hostile.linear(ThreadFaults::parallelStreamIfAlone)),
        row(
            "linear-chunk-counter-in-the-kernel",
            "linear",
            "P12",
            "INT4: the next chunk of a batch is counted in the kernel, for all calls at a time.",
            hostile -> hostile.linear(ThreadFaults::chunkCounterInTheKernel)),
        row(
            "linear-scratch-slot-of-a-worker-in-5-bits",
            "linear",
            "P13",
            "A worker's slot in scratch is its number & 31: workers 0 and 32 share a row buffer.",
            hostile -> hostile.linear(ThreadFaults::slotIn5Bits)),
        row(
            "linear-int8-asym-range-begins-with-the-workers-last",
            "linear",
            "P11",
            "A task's first row is rounded in a range that still has its worker's last row in it.",
            hostile -> hostile.linear(ThreadFaults::rangeKeptByWorker)),
        row(
            "linear-k-quants-second-run-never-fails",
            "linear",
            "P18",
            "K-quants: failures of the run that prepares x come out, those of the products don't.",
            hostile -> hostile.linear(ThreadFaults::failureOfSecondRunCaught)),
        row(
            "linear-runs-on-the-workers-that-packed-it",
            "linear",
            "P13",
            "A kernel keeps the workers of its pack, and hands its tasks to them for ever after.",
            hostile -> hostile.linear(ThreadFaults::workersOfPackKept)),
        row(
            "linear-int8-sym-nan-known-to-one-worker",
            "linear",
            "L10",
            "Who rounds a row with a NaN raises a flag of its own; other workers' columns are 0.",
            hostile -> hostile.linear(ThreadFaults::nanKnownToOneWorker)));
  }

  private static List<Hostile> attention() {
    return List.of(
        row(
            "attention-last-head-lost-by-41-workers",
            "attention",
            "P11",
            "Shares come of 1f / workers; times 41, 47, 55 or 61 that is below 1: an item is lost.",
            hostile -> hostile.attention(ThreadFaults::sharesByReciprocal)),
        row(
            "attention-scores-in-the-slot-of-a-thread-id",
            "attention",
            "P13",
            "Scores are in the slot thread id % workers, and ids of a pool and its caller collide.",
            hostile -> hostile.attention(ThreadFaults::slotOfThreadId)),
        row(
            "attention-append-waits-for-other-sessions",
            "attention",
            "P12",
            "One lock of a layer: calls read-lock it, and append write-locks it for all sessions.",
            hostile -> hostile.attention(ThreadFaults::appendLocksTheLayer)),
        row(
            "attention-f16-append-in-the-common-pool",
            "attention",
            "P13",
            "From 16 rows on, a CompletableFuture converts half of what goes to an F16 cache.",
            hostile -> hostile.attention(ThreadFaults::appendInTheCommonPool)),
        row(
            "attention-far-decode-on-a-virtual-thread",
            "attention",
            "P13",
            "One row at position 4,096 or later is done by a virtual thread, started just for it.",
            hostile -> hostile.attention(ThreadFaults::decodeOnVirtualThread)),
        row(
            "attention-failures-of-helpers-are-flags",
            "attention",
            "P18",
            "What worker 0 throws comes out; other workers set a flag that nobody looks at.",
            hostile -> hostile.attention(ThreadFaults::failuresOfHelpersCaught)),
        row(
            "attention-far-batches-in-nested-runs",
            "attention",
            "P13",
            "Beyond 2,048 positions a batch is cut into shares, each a task that runs more tasks.",
            hostile -> hostile.attention(ThreadFaults::nestedWhenFar)));
  }

  private static List<Hostile> rmsNorm() {
    return List.of(
        row(
            "rmsnorm-share-of-the-workers-number",
            "rmsnorm",
            "P11",
            "From 32 rows on a task does its worker's share, as if each worker came just once.",
            hostile -> hostile.rmsNorm(ThreadFaults::shareOfWorker)),
        row(
            "rmsnorm-parts-of-a-row-wait-for-the-first",
            "rmsnorm",
            "P13",
            "One row of 4,096: the first part's task sums, the others wait a while, then go on.",
            hostile -> hostile.rmsNorm(ThreadFaults::partsWaitForTheFirst)),
        row(
            "rmsnorm-half-of-a-batch-in-its-own-pool",
            "rmsnorm",
            "P13",
            "From 128 rows on, half of them go to a thread that the provider had from the start.",
            hostile -> hostile.rmsNorm(ThreadFaults::halfInOwnPool)),
        row(
            "rmsnorm-output-in-use-after-a-failure",
            "rmsnorm",
            "P18",
            "Marks its output as in use, and takes the mark away only if the call didn't fail.",
            hostile -> hostile.rmsNorm(ThreadFaults::inUseAfterFailure)));
  }

  private static List<Hostile> rope() {
    return List.of(
        row(
            "rope-gathers-16-workers-at-a-barrier",
            "rope",
            "P13",
            "From 16 workers on a batch begins with a barrier, as in ggml: all must come at once.",
            hostile -> hostile.rope(ThreadFaults::barrier)),
        row(
            "rope-does-again-what-ran-out-of-stack",
            "rope",
            "P18",
            "If a task runs out of stack or memory, the caller does all again: some turn twice.",
            hostile -> hostile.rope(ThreadFaults::doneAgain)),
        row(
            "rope-claims-tasks-without-an-atomic",
            "rope",
            "P11",
            "Its own counter of tasks is read, and set later: two workers may turn the same heads.",
            hostile -> hostile.rope(ThreadFaults::claimedTwice)),
        row(
            "rope-second-call-at-a-time-begins-at-0",
            "rope",
            "P12",
            "A call that finds the kernel's lock taken goes without it, and without its position.",
            hostile -> hostile.rope(ThreadFaults::otherPathIfLocked)),
        row(
            "rope-mask-of-64-workers-is-empty",
            "rope",
            "P11",
            "Workers who may take part are (1L << workers) - 1: with just 64 there are none.",
            hostile -> hostile.rope(ThreadFaults::maskOfWorkers)));
  }

  private static List<Hostile> swiGlu() {
    return List.of(
        row(
            "swiglu-worker-0-only-manages",
            "swiglu",
            "P11",
            "With more than 16 workers, worker 0 hands out tasks and does none, if it claims one.",
            hostile -> hostile.swiGlu(ThreadFaults::worker0Manages)),
        row(
            "swiglu-shares-by-a-shift",
            "swiglu",
            "P11",
            "Beyond 8 workers shares are tasks >> log2(workers), rounded up: 12 leave a quarter.",
            hostile -> hostile.swiGlu(ThreadFaults::sharesByShift)),
        row(
            "swiglu-failures-of-batches-come-wrapped",
            "swiglu",
            "P18",
            "A failure in a batch comes as a CompletionException, from habit: the caller's, too.",
            hostile -> hostile.swiGlu(ThreadFaults::failuresWrapped)),
        row(
            "swiglu-first-error-sticks",
            "swiglu",
            "P18",
            "A kernel that failed once fails for ever, as a CUDA context does.",
            hostile -> hostile.swiGlu(ThreadFaults::errorSticks)));
  }

  private static Hostile row(
      String id,
      String operator,
      String rule,
      String sentence,
      Function<HostileProvider, HostileProvider> fault) {
    return new Hostile(id, Kind.THREADS, operator, rule, sentence, fault);
  }

  // Packing.

  private static LinearPacker tilesLeftOver(LinearSpec spec, LinearPacker packer) {
    return K_QUANTS.contains(spec.weights())
        ? packing(
            packer,
            (from, to, workers) -> {
              for (int i = 0; i < from.size(); i++) {
                copyShares(from.get(i), to.get(i), workers);
              }
            })
        : packer;
  }

  private static void copyShares(WeightMatrix from, WeightMatrix to, Workers workers) {
    int parallelism = workers.parallelism();
    int tiles = Math.ceilDiv(from.outputs(), TILE);
    int share =
        parallelism > 16 ? Math.max(1, tiles / parallelism) : Math.ceilDiv(tiles, parallelism);
    workers.run(parallelism, (task, _) -> copyTiles(from, to, task * share, (task + 1) * share));
  }

  private static LinearPacker packedByNestedRuns(LinearSpec spec, LinearPacker packer) {
    return packing(
        packer,
        (from, to, workers) -> {
          if (from.size() >= 3) {
            workers.run(from.size(), (i, _) -> copyByTiles(from.get(i), to.get(i), workers));
            return;
          }
          for (int i = 0; i < from.size(); i++) {
            copyByTiles(from.get(i), to.get(i), workers);
          }
        });
  }

  private static LinearPacker packedByOwnThread(LinearSpec spec, LinearPacker packer) {
    return packing(
        packer,
        (from, to, workers) -> {
          for (int i = 0; i < from.size(); i++) {
            WeightMatrix source = from.get(i);
            WeightMatrix own = to.get(i);
            if ((long) source.outputs() * source.inputs() < 1 << 20) {
              copyByTiles(source, own, workers);
            } else {
              int half = source.outputs() / 2;
              FutureTask<Void> upper =
                  new FutureTask<>(() -> copyRows(source, own, half, source.outputs()), null);
              Thread.ofPlatform().daemon().name("packer").start(upper);
              meanwhile(upper, () -> copyRows(source, own, 0, half));
            }
          }
        });
  }

  private static LinearPacker failureOfPackingCaught(LinearSpec spec, LinearPacker packer) {
    return spec.weights().scalePlane().equals(ScalePlane.BF16_PER_BLOCK)
        ? packing(
            packer,
            (from, to, workers) -> {
              for (int i = 0; i < from.size(); i++) {
                try {
                  copyByTiles(from.get(i), to.get(i), workers);
                } catch (RuntimeException _) { // the fault: nobody hears of it
                  return;
                }
              }
            })
        : packer;
  }

  /// The lock guards a count of what was packed, for a report. On the caller's thread it can be
  /// taken again; another waits for the caller, who waits for the end of the run.
  private static LinearPacker lockedAgainByTasks(LinearSpec spec, LinearPacker packer) {
    Lock lock = new ReentrantLock();
    long[] bytes = new long[1];
    return packing(
        packer,
        (from, to, workers) -> {
          lock(lock);
          try {
            workers.run(
                from.size(),
                (i, _) -> {
                  copyRows(from.get(i), to.get(i), 0, from.get(i).outputs());
                  lock(lock);
                  try {
                    bytes[0] += from.get(i).data().byteSize();
                  } finally {
                    lock.unlock();
                  }
                });
          } finally {
            lock.unlock();
          }
        });
  }

  /// How weights get to packed memory.
  private interface Copying {
    void copy(List<WeightMatrix> from, List<WeightMatrix> to, Workers workers);
  }

  /// A packer that copies the weights in a way of its own, and retains no source.
  private static LinearPacker packing(LinearPacker packer, Copying copying) {
    return (stacked, packed, workers) -> {
      List<WeightMatrix> own = new ArrayList<>();
      for (WeightMatrix m : stacked) {
        own.add(room(m, packed));
      }
      copying.copy(stacked, own, workers);
      return new Kernels.Linear(packer.pack(own, packed, workers)) {
        @Override
        public boolean retainsSource() {
          return false;
        }
      };
    };
  }

  /// Memory for a copy, with nothing in it yet.
  private static WeightMatrix room(WeightMatrix m, SegmentAllocator packed) {
    MemorySegment data = packed.allocate(m.data().byteSize(), LINE);
    long scaleBytes = m.scales().byteSize();
    MemorySegment scales = scaleBytes == 0 ? m.scales() : packed.allocate(scaleBytes, LINE);
    return new WeightMatrix(m.format(), data, scales, m.outputs(), m.inputs());
  }

  private static void copyByTiles(WeightMatrix from, WeightMatrix to, Workers workers) {
    int tiles = Math.ceilDiv(from.outputs(), TILE);
    workers.run(tiles, (tile, _) -> copyTiles(from, to, tile, tile + 1));
  }

  private static void copyTiles(WeightMatrix from, WeightMatrix to, int begin, int end) {
    int outputs = from.outputs();
    copyRows(from, to, Math.min(outputs, begin * TILE), Math.min(outputs, end * TILE));
  }

  /// Output rows begin (inclusive) to end (exclusive), with their scales.
  private static void copyRows(WeightMatrix from, WeightMatrix to, int begin, int end) {
    copyRows(from.data(), to.data(), from.outputs(), begin, end);
    copyRows(from.scales(), to.scales(), from.outputs(), begin, end);
  }

  private static void copyRows(MemorySegment from, MemorySegment to, int rows, int begin, int end) {
    long bytes = from.byteSize() / rows;
    MemorySegment.copy(from, begin * bytes, to, begin * bytes, (end - begin) * bytes);
  }

  // Linear.

  /// Each third's sums are right, whoever makes them; only the order of two additions is left open.
  ///
  /// ```
  /// scratch: what the right kernel asks for 3 * rows | x with zeros but for a third [3 * rows]
  ///     | sums of the thirds [3 * rows]
  /// ```
  private static LinearPacker thirdsAddedAsTheyEnd(LinearSpec spec, LinearPacker packer) {
    int inputs = spec.inputs();
    if (spec.accumulate() || !FLOATS.contains(spec.weights()) || inputs < 8192) {
      return packer;
    }
    return withScratch(
        packer,
        (right, rows, parallelism) ->
            align(right.scratchBytes(3 * rows, parallelism))
                + bytes(3 * rows, inputs)
                + bytes(3 * rows, spec.outputs()),
        (right, x, y, w) -> {
          int rows = x.rows();
          long at = scratchEnd(right, 3 * rows, w);
          F32Matrix thirds = matrix(w, at, 3 * rows, inputs);
          F32Matrix sums = matrix(w, at + bytes(3 * rows, inputs), 3 * rows, spec.outputs());
          thirds.data().fill((byte) 0);
          for (int third = 0; third < 3; third++) {
            int begin = begin(inputs, third, 3);
            copyColumns(x, thirds, third * rows, begin, begin(inputs, third + 1, 3));
          }
          right.apply(thirds, sums, w);
          for (int r = 0; r < rows; r++) {
            long row = y.offsetBytes(r, 0);
            y.data().asSlice(row, (long) y.columns() * Float.BYTES).fill((byte) 0);
          }
          Object turn = new Object();
          w.workers()
              .run(
                  3,
                  (third, _) -> {
                    synchronized (turn) {
                      add(sums, third * rows, y);
                    }
                  });
        });
  }

  private static LinearPacker oddWorkerSumsApart(LinearSpec spec, LinearPacker packer) {
    int inputs = spec.inputs();
    if (spec.accumulate()
        || !isExact(spec)
        || spec.weights().blockElements() != 32
        || inputs < 2048) {
      return packer;
    }
    return withScratch(
        packer,
        (_, rows, _) -> bytes(rows, inputs) + bytes(rows, spec.outputs()),
        (right, x, y, w) -> {
          int parallelism = w.workers().parallelism();
          if (parallelism == 1 || parallelism % 2 == 0) {
            right.apply(x, y, w);
            return;
          }
          int rows = x.rows();
          int cut = inputs - inputs / parallelism;
          long at = scratchEnd(right, rows, w);
          F32Matrix part = matrix(w, at, rows, inputs);
          F32Matrix sums = matrix(w, at + bytes(rows, inputs), rows, spec.outputs());
          part.data().fill((byte) 0);
          copyColumns(x, part, 0, 0, cut);
          right.apply(part, y, w);
          part.data().fill((byte) 0);
          copyColumns(x, part, 0, cut, inputs);
          right.apply(part, sums, w);
          add(sums, 0, y);
        });
  }

  /// What the last worker would do is done by all, and taken back if it never came.
  private static LinearPacker leftOverForTheLastWorker(LinearSpec spec, LinearPacker packer) {
    return withScratch(
        packer,
        (_, rows, parallelism) -> bytes(rows, TILE * parallelism),
        (right, x, y, w) -> {
          int last = w.workers().parallelism() - 1;
          int rest = spec.outputs() % (TILE * (last + 1));
          int whole = spec.outputs() - rest;
          if (last < 8 || rest == 0 || whole == 0) {
            right.apply(x, y, w);
            return;
          }
          long stash = scratchEnd(right, x.rows(), w);
          for (int r = 0; r < y.rows(); r++) {
            long row = y.offsetBytes(r, whole);
            MemorySegment.copy(y.data(), row, w.scratch(), stash + 4L * r * rest, 4L * rest);
          }
          boolean[] came = new boolean[1];
          right.apply(
              x,
              y,
              running(
                  w,
                  (workers, run, tasks, body) ->
                      workers.run(
                          tasks,
                          (task, worker) -> {
                            body.run(task, worker);
                            if (run == 1 && worker == last) {
                              came[0] = true;
                            }
                          })));
          for (int r = 0; r < y.rows() && !came[0]; r++) {
            long row = y.offsetBytes(r, whole);
            MemorySegment.copy(w.scratch(), stash + 4L * r * rest, y.data(), row, 4L * rest);
          }
        });
  }

  private static LinearPacker parallelStreamIfAlone(LinearSpec spec, LinearPacker packer) {
    int parts = 4;
    return withScratch(
        packer,
        (right, rows, _) -> parts * align(right.scratchBytes(Math.ceilDiv(rows, parts), 1)),
        (right, x, y, w) -> {
          int rows = x.rows();
          if (w.workers().parallelism() > 1 || rows < 64) {
            right.apply(x, y, w);
            return;
          }
          long at = scratchEnd(right, rows, w);
          long bytes = align(right.scratchBytes(Math.ceilDiv(rows, parts), 1));
          IntStream.range(0, parts)
              .parallel()
              .forEach(part -> {
                int begin = rows * part / parts;
                int end = rows * (part + 1) / parts;
                MemorySegment scratch = w.scratch().asSlice(at + part * bytes, bytes);
                right.apply(
                    x.rowRange(begin, end),
                    y.rowRange(begin, end),
                    new Workspace(scratch, Workers.sequential()));
              });
        });
  }

  /// As ggml's `current_chunk`, which is in a state that belongs to one call at a time.
  private static LinearPacker chunkCounterInTheKernel(LinearSpec spec, LinearPacker packer) {
    if (!spec.weights().scalePlane().equals(ScalePlane.BF16_PER_BLOCK)) {
      return packer;
    }
    return (stacked, packed, workers) ->
        new Kernels.Linear(packer.pack(stacked, packed, workers)) {
          private final AtomicInteger next = new AtomicInteger();

          @Override
          public void apply(F32Matrix x, F32Matrix y, Workspace w) {
            right.apply(x, y, x.rows() == 1 ? w : running(w, this::claimed));
          }

          private void claimed(Workers workers, int run, int tasks, Task body) {
            next.set(0);
            workers.run(
                workers.parallelism(),
                (_, worker) -> {
                  for (int task; (task = next.getAndIncrement()) < tasks; ) {
                    body.run(task, worker);
                  }
                });
          }
        };
  }

  private static LinearPacker slotIn5Bits(LinearSpec spec, LinearPacker packer) {
    return Kernels.calls(
        packer,
        (right, x, y, w) ->
            right.apply(x, y, doing(w, (body, task, worker) -> body.run(task, worker & 31))));
  }

  /// A row that was rounded with too wide a range is rounded once more by the right kernel, which
  /// changes little.
  ///
  /// ```
  /// scratch of the right kernel | lo:f32, hi:f32, a line for each worker | x with its new rows
  /// ```
  private static LinearPacker rangeKeptByWorker(LinearSpec spec, LinearPacker packer) {
    if (!spec.weights().scalePlane().equals(ScalePlane.BF16_PER_BLOCK) || isExact(spec)) {
      return packer;
    }
    return withScratch(
        packer,
        (_, rows, parallelism) -> (long) LINE * parallelism + bytes(rows, spec.inputs()),
        (right, x, y, w) -> {
          int rows = x.rows();
          int parallelism = w.workers().parallelism();
          int tasks = parallelism == 1 ? 1 : Math.min(rows, 4 * parallelism);
          MemorySegment scratch = w.scratch();
          long ranges = scratchEnd(right, rows, w);
          scratch.asSlice(ranges, (long) LINE * parallelism).fill((byte) 0);
          F32Matrix rounded = matrix(w, ranges + (long) LINE * parallelism, rows, spec.inputs());
          w.workers()
              .run(
                  tasks,
                  (task, worker) -> {
                    long kept = ranges + (long) LINE * worker;
                    int begin = begin(rows, task, tasks);
                    int end = begin(rows, task + 1, tasks);
                    float lo = scratch.get(JAVA_FLOAT, kept);
                    float hi = scratch.get(JAVA_FLOAT, kept + Float.BYTES);
                    for (int r = begin; r < end; r++) {
                      roundInRange(x, r, r == begin ? lo : 0, r == begin ? hi : 0, rounded);
                    }
                    scratch.set(JAVA_FLOAT, kept, smallest(x, end - 1));
                    scratch.set(JAVA_FLOAT, kept + Float.BYTES, -smallestNegated(x, end - 1));
                  });
          right.apply(rounded, y, w);
        });
  }

  /// Copies a row; rounds it to 255 steps of a range, where that is wider than the row's own.
  private static void roundInRange(F32Matrix x, int row, float lo, float hi, F32Matrix to) {
    float ownLo = smallest(x, row);
    float ownHi = -smallestNegated(x, row);
    float step = (Math.max(hi, ownHi) - Math.min(lo, ownLo)) / 255;
    boolean wider = (lo < ownLo || hi > ownHi) && step > 0 && Float.isFinite(step);
    for (int i = 0; i < x.columns(); i++) {
      float v = x.get(row, i);
      to.set(row, i, wider ? (float) Math.rint(v / step) * step : v);
    }
  }

  /// The smallest element of a row and 0; NaN if there is one.
  private static float smallest(F32Matrix x, int row) {
    float min = 0;
    for (int i = 0; i < x.columns(); i++) {
      min = Math.min(min, x.get(row, i));
    }
    return min;
  }

  private static float smallestNegated(F32Matrix x, int row) {
    float min = 0;
    for (int i = 0; i < x.columns(); i++) {
      min = Math.min(min, -x.get(row, i));
    }
    return min;
  }

  private static LinearPacker failureOfSecondRunCaught(LinearSpec spec, LinearPacker packer) {
    return K_QUANTS.contains(spec.weights())
        ? Kernels.calls(
            packer,
            (right, x, y, w) ->
                right.apply(
                    x,
                    y,
                    running(
                        w,
                        (workers, run, tasks, body) -> {
                          try {
                            workers.run(tasks, body);
                          } catch (RuntimeException e) {
                            if (run == 0) {
                              throw e;
                            }
                          }
                        })))
        : packer;
  }

  /// Unless these were one, or more than the call has scratch for.
  private static LinearPacker workersOfPackKept(LinearSpec spec, LinearPacker packer) {
    return (stacked, packed, workers) ->
        new Kernels.Linear(packer.pack(stacked, packed, workers)) {
          @Override
          public void apply(F32Matrix x, F32Matrix y, Workspace w) {
            int kept = workers.parallelism();
            boolean fit = kept > 1 && kept <= w.workers().parallelism();
            right.apply(x, y, fit ? new Workspace(w.scratch(), workers) : w);
          }
        };
  }

  /// The right kernel's tasks have equal shares, of rows in its first run and of outputs in its
  /// second.
  ///
  /// ```
  /// scratch of the right kernel | 1 + the worker that saw a row's NaN, or 0: i32[rows]
  /// ```
  private static LinearPacker nanKnownToOneWorker(LinearSpec spec, LinearPacker packer) {
    if (spec.weights().blockElements() != 32 || !isInline(spec) || isExact(spec)) {
      return packer;
    }
    return withScratch(
        packer,
        (_, rows, _) -> bytes(rows, 1),
        (right, x, y, w) -> {
          int rows = x.rows();
          MemorySegment seen = w.scratch().asSlice(scratchEnd(right, rows, w), 4L * rows);
          right.apply(
              x,
              y,
              running(
                  w,
                  (workers, run, tasks, body) ->
                      workers.run(
                          tasks,
                          (task, worker) -> {
                            body.run(task, worker);
                            if (run == 0) {
                              for (int r = begin(rows, task, tasks);
                                  r < begin(rows, task + 1, tasks);
                                  r++) {
                                seen.setAtIndex(JAVA_INT, r, isFinite(x, r) ? 0 : 1 + worker);
                              }
                            } else {
                              int begin = begin(spec.outputs(), task, tasks);
                              int end = begin(spec.outputs(), task + 1, tasks);
                              zeroUnlessSeenBy(worker, seen, y, begin, end);
                            }
                          })));
        });
  }

  private static void zeroUnlessSeenBy(
      int worker, MemorySegment seen, F32Matrix y, int begin, int end) {
    for (int r = 0; r < y.rows(); r++) {
      int by = seen.getAtIndex(JAVA_INT, r);
      for (int o = begin; o < end && by != 0 && by != 1 + worker; o++) {
        y.set(r, o, 0);
      }
    }
  }

  private static boolean isFinite(F32Matrix x, int row) {
    float poison = 0;
    for (int i = 0; i < x.columns(); i++) {
      poison += x.get(row, i) * 0f;
    }
    return poison == 0;
  }

  /// Bytes of scratch beyond the right kernel's; they never shrink.
  private interface Extra {
    long bytes(LinearKernel right, int rows, int parallelism);
  }

  /// A packer whose kernels have scratch of their own behind the right kernel's.
  private static LinearPacker withScratch(
      LinearPacker packer, Extra extra, Kernels.LinearCall fault) {
    return (stacked, packed, workers) ->
        new Kernels.Linear(packer.pack(stacked, packed, workers)) {
          @Override
          public long scratchBytes(int rows, int parallelism) {
            return align(right.scratchBytes(rows, parallelism))
                + extra.bytes(right, rows, parallelism);
          }

          @Override
          public void apply(F32Matrix x, F32Matrix y, Workspace w) {
            fault.apply(right, x, y, w);
          }
        };
  }

  private static boolean isExact(LinearSpec spec) {
    return spec.tolerated().contains(Numerics.EXACT_F32);
  }

  private static boolean isInline(LinearSpec spec) {
    return spec.weights().scalePlane().equals(ScalePlane.INLINE);
  }

  /// Columns begin (inclusive) to end (exclusive) of all rows, to the rows from `row` on.
  private static void copyColumns(F32Matrix from, F32Matrix to, int row, int begin, int end) {
    for (int r = 0; r < from.rows(); r++) {
      MemorySegment.copy(
          from.data(),
          from.offsetBytes(r, begin),
          to.data(),
          to.offsetBytes(row + r, begin),
          (long) (end - begin) * Float.BYTES);
    }
  }

  /// y += the rows of `sums` that begin at a row.
  private static void add(F32Matrix sums, int row, F32Matrix y) {
    for (int r = 0; r < y.rows(); r++) {
      for (int o = 0; o < y.columns(); o++) {
        y.set(r, o, y.get(r, o) + sums.get(row + r, o));
      }
    }
  }

  // Attention.

  private static AttentionKernel sharesByReciprocal(AttentionSpec spec, AttentionKernel kernel) {
    return new Kernels.Attention(kernel) {
      @Override
      public long scratchBytes(int rows, int parallelism) {
        return align(right.scratchBytes(rows, parallelism)) + bytes(1, spec.headDim());
      }

      @Override
      public void apply(F32Matrix q, KvCache cache, int first, F32Matrix y, Workspace w) {
        int parallelism = w.workers().parallelism();
        int items = q.rows() * spec.heads();
        int end = (int) (parallelism * (1f / parallelism) * items);
        long stash = scratchEnd(right, q.rows(), w);
        long last = y.offsetBytes(q.rows() - 1, y.columns() - spec.headDim());
        long bytes = (long) spec.headDim() * Float.BYTES;
        if (end < items) {
          MemorySegment.copy(y.data(), last, w.scratch(), stash, bytes);
        }
        right.apply(q, cache, first, y, w);
        if (end < items) {
          MemorySegment.copy(w.scratch(), stash, y.data(), last, bytes);
        }
      }
    };
  }

  private static AttentionKernel slotOfThreadId(AttentionSpec spec, AttentionKernel kernel) {
    return Kernels.applies(
        kernel,
        (right, q, cache, first, y, w) -> {
          int parallelism = w.workers().parallelism();
          right.apply(
              q,
              cache,
              first,
              y,
              doing(
                  w,
                  (body, task, _) -> {
                    long id = Thread.currentThread().threadId();
                    body.run(task, (int) (id % parallelism));
                  }));
        });
  }

  /// The cache of each session is its own, so there is nothing to guard.
  private static AttentionKernel appendLocksTheLayer(AttentionSpec spec, AttentionKernel kernel) {
    ReadWriteLock layer = new ReentrantReadWriteLock();
    return new Kernels.Attention(kernel) {
      @Override
      public void append(F32Matrix k, F32Matrix v, KvCache cache, int position, Workspace w) {
        lock(layer.writeLock());
        try {
          right.append(k, v, cache, position, w);
        } finally {
          layer.writeLock().unlock();
        }
      }

      @Override
      public void apply(F32Matrix q, KvCache cache, int first, F32Matrix y, Workspace w) {
        lock(layer.readLock());
        try {
          right.apply(q, cache, first, y, w);
        } finally {
          layer.readLock().unlock();
        }
      }
    };
  }

  private static AttentionKernel appendInTheCommonPool(AttentionSpec spec, AttentionKernel kernel) {
    return Kernels.appends(
        kernel,
        (right, k, v, cache, position, w) -> {
          int rows = k.rows();
          if (rows < 16 || !spec.kv().equals(KvFormat.F16)) {
            right.append(k, v, cache, position, w);
            return;
          }
          int half = rows / 2;
          Future<?> upper =
              CompletableFuture.runAsync(() ->
                  right.append(
                      k.rowRange(half, rows),
                      v.rowRange(half, rows),
                      cache,
                      position + half,
                      SEQUENTIAL));
          meanwhile(
              upper, () -> right.append(k.firstRows(half), v.firstRows(half), cache, position, w));
        });
  }

  private static AttentionKernel decodeOnVirtualThread(AttentionSpec spec, AttentionKernel kernel) {
    return Kernels.applies(
        kernel,
        (right, q, cache, first, y, w) -> {
          if (q.rows() > 1 || first < 4096) {
            right.apply(q, cache, first, y, w);
            return;
          }
          Workspace alone = new Workspace(w.scratch(), Workers.sequential());
          FutureTask<Void> call =
              new FutureTask<>(() -> right.apply(q, cache, first, y, alone), null);
          Thread.ofVirtual().start(call);
          meanwhile(call, () -> {});
        });
  }

  /// It takes memory that was closed for a task to fail.
  private static AttentionKernel failuresOfHelpersCaught(
      AttentionSpec spec, AttentionKernel kernel) {
    return Kernels.applies(
        kernel,
        (right, q, cache, first, y, w) -> {
          boolean[] failed = new boolean[1];
          right.apply(
              q,
              cache,
              first,
              y,
              doing(
                  w,
                  (body, task, worker) -> {
                    try {
                      body.run(task, worker);
                    } catch (RuntimeException e) {
                      if (worker == 0) {
                        throw e;
                      }
                      failed[0] = true; // the fault: nobody looks at it
                    }
                  }));
        });
  }

  private static AttentionKernel nestedWhenFar(AttentionSpec spec, AttentionKernel kernel) {
    return Kernels.applies(
        kernel,
        (right, q, cache, first, y, w) -> {
          boolean far = q.rows() > 1 && first + q.rows() > 2048;
          right.apply(q, cache, first, y, far ? running(w, ThreadFaults::nested) : w);
        });
  }

  private static void nested(Workers workers, int run, int tasks, Task body) {
    int shares = workers.parallelism();
    workers.run(
        shares,
        (share, _) -> {
          int begin = begin(tasks, share, shares);
          int end = begin(tasks, share + 1, shares);
          workers.run(end - begin, (task, worker) -> body.run(begin + task, worker));
        });
  }

  // RMSNorm.

  private static RmsNormKernel shareOfWorker(RmsNormSpec spec, RmsNormKernel kernel) {
    return Kernels.calls(
        kernel,
        (right, x, weight, y, w) ->
            right.apply(x, weight, y, x.rows() < 32 ? w : running(w, ThreadFaults::shareOfWorker)));
  }

  private static void shareOfWorker(Workers workers, int run, int tasks, Task body) {
    int shares = workers.parallelism();
    workers.run(
        shares,
        (_, worker) -> {
          for (int t = begin(tasks, worker, shares); t < begin(tasks, worker + 1, shares); t++) {
            body.run(t, worker);
          }
        });
  }

  /// ```
  /// scratch: done:i32 in a line | the row, normalised by task 0
  /// ```
  private static RmsNormKernel partsWaitForTheFirst(RmsNormSpec spec, RmsNormKernel kernel) {
    int width = spec.width();
    if (width < 4096) {
      return kernel;
    }
    return new Kernels.RmsNorm(kernel) {
      @Override
      public long scratchBytes(int rows, int parallelism) {
        return LINE + bytes(1, width);
      }

      @Override
      public void apply(F32Matrix x, F32Matrix weight, F32Matrix y, Workspace w) {
        if (x.rows() > 1) {
          right.apply(x, weight, y, w);
          return;
        }
        int tasks = Math.min(8, w.workers().parallelism());
        F32Matrix row = matrix(w, LINE, 1, width);
        FLAG.setVolatile(w.scratch(), 0L, 0);
        w.workers()
            .run(
                tasks,
                (task, _) -> {
                  if (task == 0) {
                    right.apply(x, weight, row, SEQUENTIAL);
                    FLAG.setVolatile(w.scratch(), 0L, 1);
                  }
                  for (int spins = 0; spins < 20_000 && !isSet(w.scratch()); spins++) {
                    Thread.onSpinWait();
                  }
                  int begin = begin(width, task, tasks);
                  int end = begin(width, task + 1, tasks);
                  MemorySegment.copy(
                      row.data(),
                      row.offsetBytes(0, begin),
                      y.data(),
                      y.offsetBytes(0, begin),
                      (long) (end - begin) * Float.BYTES);
                });
      }
    };
  }

  private static boolean isSet(MemorySegment scratch) {
    return (int) FLAG.getVolatile(scratch, 0L) == 1;
  }

  private static RmsNormKernel halfInOwnPool(RmsNormSpec spec, RmsNormKernel kernel) {
    OwnPool.EXECUTOR.prestartAllCoreThreads(); // long before a call
    return Kernels.calls(
        kernel,
        (right, x, weight, y, w) -> {
          int rows = x.rows();
          if (rows < 128) {
            right.apply(x, weight, y, w);
            return;
          }
          int half = rows / 2;
          Future<?> upper =
              OwnPool.EXECUTOR.submit(() ->
                  right.apply(x.rowRange(half, rows), weight, y.rowRange(half, rows), SEQUENTIAL));
          meanwhile(upper, () -> right.apply(x.firstRows(half), weight, y.firstRows(half), w));
        });
  }

  /// A thread for all providers of the JVM, so that they don't pile up.
  private static final class OwnPool {
    static final ThreadPoolExecutor EXECUTOR =
        new ThreadPoolExecutor(
            1,
            1,
            0,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            Thread.ofPlatform().daemon().name("rmsnorm").factory());
  }

  /// Calls at a time have different outputs, so that nothing is wrong with them.
  private static RmsNormKernel inUseAfterFailure(RmsNormSpec spec, RmsNormKernel kernel) {
    Set<Long> inUse = ConcurrentHashMap.newKeySet();
    return Kernels.calls(
        kernel,
        (right, x, weight, y, w) -> {
          long address = y.data().address();
          if (!inUse.add(address)) {
            throw new IllegalStateException("y is in use by another call");
          }
          right.apply(x, weight, y, w);
          inUse.remove(address);
        });
  }

  // RoPE.

  private static RopeKernel barrier(RopeSpec spec, RopeKernel kernel) {
    return Kernels.calls(
        kernel,
        (right, x, table, first, w) -> {
          int parallelism = w.workers().parallelism();
          if (parallelism >= 16 && x.rows() >= 8) {
            AtomicInteger arrived = new AtomicInteger();
            w.workers().run(parallelism, (_, _) -> meet(arrived, parallelism));
          }
          right.apply(x, table, first, w);
        });
  }

  /// Waits until all have arrived, or the thread is interrupted; it burns no core for long.
  private static void meet(AtomicInteger arrived, int all) {
    arrived.incrementAndGet();
    for (int spins = 0; arrived.get() < all; spins++) {
      if (spins < 10_000) {
        Thread.onSpinWait();
        continue;
      }
      try {
        Thread.sleep(1);
      } catch (InterruptedException e) {
        throw interrupted(e);
      }
    }
  }

  private static RopeKernel doneAgain(RopeSpec spec, RopeKernel kernel) {
    return Kernels.calls(
        kernel,
        (right, x, table, first, w) -> {
          try {
            right.apply(x, table, first, w);
          } catch (VirtualMachineError _) { // the fault: what was turned is turned again
            right.apply(x, table, first, SEQUENTIAL);
          }
        });
  }

  /// ```
  /// scratch: the next task: i64
  /// ```
  private static RopeKernel claimedTwice(RopeSpec spec, RopeKernel kernel) {
    return new Kernels.Rope(kernel) {
      @Override
      public long scratchBytes(int rows, int parallelism) {
        return LINE;
      }

      @Override
      public void apply(F32Matrix x, F32Matrix table, int first, Workspace w) {
        if (x.rows() < 16) {
          right.apply(x, table, first, w);
          return;
        }
        MemorySegment next = w.scratch();
        right.apply(
            x,
            table,
            first,
            running(
                w,
                (workers, run, tasks, body) -> {
                  next.set(JAVA_LONG, 0, 0);
                  workers.run(
                      workers.parallelism(),
                      (_, worker) -> {
                        for (int task; (task = claim(next)) < tasks; ) {
                          body.run(task, worker);
                        }
                      });
                }));
      }
    };
  }

  private static int claim(MemorySegment next) {
    long task = next.get(JAVA_LONG, 0);
    Thread.yield(); // as a claim that is a loop does; the others read the same number
    next.set(JAVA_LONG, 0, task + 1);
    return (int) task;
  }

  private static RopeKernel otherPathIfLocked(RopeSpec spec, RopeKernel kernel) {
    Lock lock = new ReentrantLock();
    return Kernels.calls(
        kernel,
        (right, x, table, first, w) -> {
          if (!lock.tryLock()) {
            right.apply(x, table, 0, w);
            return;
          }
          try {
            right.apply(x, table, first, w);
          } finally {
            lock.unlock();
          }
        });
  }

  /// A shift by 64 is one by 0, and one by 65 is one by 1.
  private static RopeKernel maskOfWorkers(RopeSpec spec, RopeKernel kernel) {
    return Kernels.calls(
        kernel,
        (right, x, table, first, w) -> {
          long mask = (1L << w.workers().parallelism()) - 1;
          right.apply(
              x,
              table,
              first,
              doing(
                  w,
                  (body, task, worker) -> {
                    if ((mask >>> worker & 1) != 0) {
                      body.run(task, worker);
                    }
                  }));
        });
  }

  // SwiGLU.

  private static SwiGluKernel worker0Manages(SwiGluSpec spec, SwiGluKernel kernel) {
    return Kernels.calls(
        kernel,
        (right, gate, up, y, w) -> {
          boolean many = w.workers().parallelism() > 16;
          right.apply(
              gate,
              up,
              y,
              doing(
                  w,
                  (body, task, worker) -> {
                    if (!many || worker != 0) {
                      body.run(task, worker);
                    }
                  }));
        });
  }

  private static SwiGluKernel sharesByShift(SwiGluSpec spec, SwiGluKernel kernel) {
    return Kernels.calls(
        kernel,
        (right, gate, up, y, w) -> {
          int parallelism = w.workers().parallelism();
          boolean byShift = parallelism > 8 && Integer.bitCount(parallelism) > 1;
          right.apply(gate, up, y, byShift ? running(w, ThreadFaults::sharesByShift) : w);
        });
  }

  /// Too few tasks for a share each are not cut.
  private static void sharesByShift(Workers workers, int run, int tasks, Task body) {
    int parallelism = workers.parallelism();
    int share = tasks >> Integer.SIZE - Integer.numberOfLeadingZeros(parallelism - 1);
    workers.run(share == 0 ? tasks : share * parallelism, body);
  }

  private static SwiGluKernel failuresWrapped(SwiGluSpec spec, SwiGluKernel kernel) {
    return Kernels.calls(
        kernel,
        (right, gate, up, y, w) -> {
          try {
            right.apply(gate, up, y, w);
          } catch (RuntimeException e) {
            throw y.rows() == 1 ? e : new CompletionException(e);
          }
        });
  }

  private static SwiGluKernel errorSticks(SwiGluSpec spec, SwiGluKernel kernel) {
    return new Kernels.SwiGlu(kernel) {
      private volatile Throwable first;

      @Override
      public void apply(F32Matrix gate, F32Matrix up, F32Matrix y, Workspace w) {
        if (first != null) {
          throw new IllegalStateException("an earlier call failed", first);
        }
        try {
          right.apply(gate, up, y, w);
        } catch (RuntimeException | Error e) {
          first = e;
          throw e;
        }
      }
    };
  }

  // Workers.

  /// What is done in place of a run.
  ///
  /// `run` is its number in the call, from 0.
  private interface Running {
    void run(Workers workers, int run, int tasks, Task body);
  }

  /// What is done in place of a task.
  private interface Doing {
    void run(Task body, int task, int worker);
  }

  /// For one call: a workspace whose runs are done in another way.
  private static Workspace running(Workspace w, Running running) {
    return new Workspace(w.scratch(), new Rerouted(w.workers(), running));
  }

  /// For one call: a workspace whose tasks are done in another way.
  private static Workspace doing(Workspace w, Doing doing) {
    return running(
        w,
        (workers, _, tasks, body) ->
            workers.run(tasks, (task, worker) -> doing.run(body, task, worker)));
  }

  private static final class Rerouted implements Workers {
    private final Workers workers;
    private final Running running;
    private int runs;

    Rerouted(Workers workers, Running running) {
      this.workers = workers;
      this.running = running;
    }

    @Override
    public int parallelism() {
      return workers.parallelism();
    }

    @Override
    public void run(int tasks, Task body) {
      running.run(workers, runs++, tasks, body);
    }
  }

  /// The first item of a share of equal items; where share is shares, the end of all items.
  private static int begin(int items, int share, int shares) {
    return (int) ((long) items * share / shares);
  }

  /// Does work while another thread does other work, and waits for that whatever comes: its memory
  /// must not be closed before.
  private static void meanwhile(Future<?> other, Runnable work) {
    try {
      work.run();
    } finally {
      await(other);
    }
  }

  /// What the other thread threw is thrown here, as it is.
  private static void await(Future<?> other) {
    boolean interrupted = false;
    try {
      while (true) {
        try {
          other.get();
          return;
        } catch (InterruptedException _) { // told to the caller at the end
          interrupted = true;
        } catch (ExecutionException e) {
          throw ThreadFaults.<RuntimeException>unchecked(e.getCause());
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  @SuppressWarnings("unchecked") // a checked exception passes as it is, too
  private static <E extends Throwable> E unchecked(Throwable thrown) throws E {
    throw (E) thrown;
  }

  /// A wait that a test can end.
  private static void lock(Lock lock) {
    try {
      lock.lockInterruptibly();
    } catch (InterruptedException e) {
      throw interrupted(e);
    }
  }

  private static IllegalStateException interrupted(InterruptedException e) {
    Thread.currentThread().interrupt();
    return new IllegalStateException("interrupted while others were waited for", e);
  }

  // Scratch.

  private static long align(long bytes) {
    return bytes + LINE - 1 & -LINE;
  }

  /// Bytes of a matrix, in whole lines.
  private static long bytes(int rows, int columns) {
    return align((long) rows * columns * Float.BYTES);
  }

  /// Where the right kernel's scratch ends, in whole lines.
  private static long scratchEnd(Kernel right, int rows, Workspace w) {
    return align(right.scratchBytes(rows, w.workers().parallelism()));
  }

  /// A matrix in scratch.
  private static F32Matrix matrix(Workspace w, long at, int rows, int columns) {
    return new F32Matrix(w.scratch().asSlice(at, bytes(rows, columns)), rows, columns);
  }
}
