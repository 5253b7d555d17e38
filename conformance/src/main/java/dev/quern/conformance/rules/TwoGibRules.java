package dev.quern.conformance.rules;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import com.sun.management.OperatingSystemMXBean;
import dev.quern.conformance.cases.AttentionCase;
import dev.quern.conformance.cases.CaseText;
import dev.quern.conformance.cases.LinearCase;
import dev.quern.conformance.judge.Candidate;
import dev.quern.conformance.judge.Outcome;
import dev.quern.conformance.judge.Verdict;
import dev.quern.conformance.run.AttentionData;
import dev.quern.conformance.run.AttentionRun;
import dev.quern.conformance.run.CanaryMemory;
import dev.quern.conformance.run.DeclinedException;
import dev.quern.conformance.run.GuardPages;
import dev.quern.conformance.run.LinearRun;
import dev.quern.conformance.run.Memory;
import dev.quern.conformance.run.TestWorkers;
import dev.quern.data.BlockFormat;
import dev.quern.data.F32Matrix;
import dev.quern.data.KvCache;
import dev.quern.data.WeightMatrix;
import dev.quern.data.Workspace;
import dev.quern.op.AttentionKernel;
import dev.quern.op.Kernel;
import dev.quern.op.LinearKernel;
import dev.quern.op.Numerics;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.UnaryOperator;

/// Rule P5 where offsets no longer fit an `int`: matrices of weights of more than 2 GiB, as output
/// layers of large models are in BF16, and planes of a cache.
///
/// Nearly all of such an operand is memory that was never written to: it reads as zeros, and takes
/// none. Numbers stand at its start and beyond 2 GiB, and they are the whole of the ordinary case
/// that is the check's: its run judges the result.
final class TwoGibRules {
  private static final long TWO_GIB = 1L << 31;

  /// What a provider that copies the weights needs, and the machine besides.
  private static final long MEMORY_BYTES = 3 * TWO_GIB;

  /// Of an element: in narrower formats no model has a matrix as large.
  private static final int WIDE_BYTES = 2;

  private TwoGibRules() {}

  /// On formats whose matrices become as large.
  static Rule<LinearCase> linear() {
    UnaryOperator<LinearCase> shape =
        c ->
            CaseText.with(
                LinearCase.of(c.blockFormat(), c.numerics()), "outputs=4,inputs=8192,x=normal");
    return TwoGibRules.<LinearCase>rule(TwoGibRules::linear)
        .where(c ->
            c.numerics().equals(Numerics.EXACT_F32.id())
                && c.blockFormat().blockBytes() >= WIDE_BYTES * c.blockFormat().blockElements())
        .on(shape);
  }

  static Rule<AttentionCase> attention() {
    return TwoGibRules.<AttentionCase>rule(TwoGibRules::attention)
        .on(c ->
            CaseText.with(
                AttentionCase.of(c.kvFormat()),
                "kvHeads=3,group=2,headDim=256,firstPosition=6,schedule=2/threads"));
  }

  private static <C> Rule<C> rule(Rule.PatientCheck<C> check) {
    Rule.PatientCheck<C> whereItFits =
        (c, target, tries) -> {
          Optional<String> reason = leftOut(target);
          return reason.isPresent()
              ? new Outcome.Skip(reason.get())
              : check.check(c, target, tries);
        };
    return Rule.of("P5", "beyond_2_gib", whereItFits).effort(Rule.Effort.ONE_HUGE_CASE);
  }

  private static Optional<String> leftOut(Candidate target) {
    if (!GuardPages.supported(target.platform().os())) {
      return Optional.of("memory that takes none until it is written to needs Linux or macOS");
    }
    long bytes =
        ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getTotalMemorySize();
    return bytes >= MEMORY_BYTES
        ? Optional.empty()
        : Optional.of(
            String.format(
                Locale.ROOT,
                "needs %d MB of memory, and there are %d",
                MEMORY_BYTES >> 20,
                bytes >> 20));
  }

  /// The first row of weights, then zeros, then the others from 2 GiB on.
  private static Outcome linear(LinearCase c, Candidate target, int tries) {
    try (Memory memory = new CanaryMemory();
        Memory pages = new GuardPages(target.platform().os(), GuardPages.Side.END);
        TestWorkers workers = TestWorkers.of(c.schedule(), c.seed())) {
      LinearRun small = LinearRun.open(c, target, memory);
      BlockFormat format = c.blockFormat();
      long rowBytes = format.rowBytes(c.inputs());
      int rows = c.totalOutputs();
      int zeros = Math.toIntExact(Math.ceilDiv(TWO_GIB, rowBytes)) - 1;
      int outputs = zeros + rows;
      MemorySegment weights = pages.allocate("weights", outputs * rowBytes, 1);
      MemorySegment rowsOfWeights = MemorySegment.ofArray(small.data().weights().getFirst().data());
      copy(rowsOfWeights, 0, weights, 0, rowBytes);
      copy(rowsOfWeights, rowBytes, weights, (zeros + 1) * rowBytes, (rows - 1) * rowBytes);
      LinearCase large = CaseText.with(c, "outputs=" + outputs);
      LinearKernel kernel =
          DeclinedException.accepted(target.provider().linear(large.spec()))
              .kernel()
              .pack(
                  List.of(new WeightMatrix(format, weights, outputs, c.inputs())),
                  (bytes, alignment) -> pages.allocate("packed weights", bytes, alignment),
                  workers);
      F32Matrix x = matrix(pages, small.data().x());
      F32Matrix y = matrix(pages, new float[outputs]);
      kernel.apply(x, y, workspace(kernel, pages, workers));

      float[] all = y.data().toArray(JAVA_FLOAT);
      Verdict verdict = new Verdict();
      for (int o = 1; o <= zeros; o++) {
        if (all[o] != 0) {
          verdict.fail("y[0][" + o + "], of weights of 0", "0", Float.toString(all[o]));
        }
      }
      float[] result = new float[rows];
      result[0] = all[0];
      System.arraycopy(all, zeros + 1, result, 1, rows - 1);
      verdict.add(
          "y[0][0], and the last " + (rows - 1) + " outputs", small.withinBounds(bytes(result)));
      return verdict.outcome();
    }
  }

  /// The last KV head lies beyond 2 GiB. Its last position, and that of the others, is appended.
  private static Outcome attention(AttentionCase c, Candidate target, int tries) {
    try (Memory memory = new CanaryMemory();
        Memory pages = new GuardPages(target.platform().os(), GuardPages.Side.END);
        TestWorkers workers = TestWorkers.of(c.schedule(), c.seed())) {
      AttentionRun small = AttentionRun.open(c, target, memory);
      AttentionData data = small.data();
      long rowBytes = (long) c.headDim() * c.kvFormat().elementBytes();
      int capacity = Math.toIntExact(TWO_GIB / (c.kvHeads() - 1) / rowBytes) + 1;
      AttentionCase large = CaseText.with(c, "spare=" + (capacity - c.positions()));
      KvCache cache =
          new KvCache(
              plane(pages, data.keys(), c, capacity),
              plane(pages, data.values(), c, capacity),
              c.kvFormat(),
              capacity);
      AttentionKernel kernel =
          DeclinedException.accepted(target.provider().attention(large.spec())).kernel();
      Workspace w = workspace(kernel, pages, workers);
      F32Matrix k = matrix(pages, last(data.keys(), c));
      F32Matrix v = matrix(pages, last(data.values(), c));
      kernel.append(k, v, cache, c.firstPosition(), w);
      F32Matrix y = matrix(pages, new float[c.heads() * c.headDim()]);
      kernel.apply(matrix(pages, data.q()), cache, c.firstPosition(), y, w);
      return small.withinBounds(y.data().toArray(JAVA_BYTE)).outcome();
    }
  }

  /// A plane that holds what a small one holds, but for the last position.
  private static MemorySegment plane(Memory pages, byte[] small, AttentionCase c, int capacity) {
    long rowBytes = (long) c.headDim() * c.kvFormat().elementBytes();
    MemorySegment from = MemorySegment.ofArray(small);
    MemorySegment to = pages.allocate("a plane", c.kvHeads() * capacity * rowBytes, 64);
    for (int head = 0; head < c.kvHeads(); head++) {
      long smallHead = head * c.capacity() * rowBytes;
      copy(from, smallHead, to, head * capacity * rowBytes, c.firstPosition() * rowBytes);
    }
    return to;
  }

  /// What stands at the last position, `[kvHeads * headDim]`: as floats it is stored unchanged.
  private static float[] last(byte[] plane, AttentionCase c) {
    float[] row = new float[c.kvHeads() * c.headDim()];
    for (int i = 0; i < row.length; i++) {
      int head = i / c.headDim();
      row[i] = (float) AttentionData.get(plane, c, head, c.firstPosition(), i % c.headDim());
    }
    return row;
  }

  private static void copy(MemorySegment from, long at, MemorySegment to, long first, long bytes) {
    MemorySegment.copy(from, at, to, first, bytes);
  }

  private static F32Matrix matrix(Memory memory, float[] row) {
    MemorySegment data = memory.allocate("a matrix", (long) Float.BYTES * row.length, 64);
    MemorySegment.copy(row, 0, data, JAVA_FLOAT, 0, row.length);
    return new F32Matrix(data, 1, row.length);
  }

  private static Workspace workspace(Kernel kernel, Memory memory, TestWorkers workers) {
    long bytes = kernel.scratchBytes(1, workers.parallelism());
    return new Workspace(memory.allocate("scratch", bytes, Workspace.SCRATCH_ALIGNMENT), workers);
  }

  private static byte[] bytes(float[] row) {
    MemorySegment bytes = MemorySegment.ofArray(new byte[Float.BYTES * row.length]);
    MemorySegment.copy(MemorySegment.ofArray(row), 0, bytes, 0, bytes.byteSize());
    return bytes.toArray(JAVA_BYTE);
  }
}
