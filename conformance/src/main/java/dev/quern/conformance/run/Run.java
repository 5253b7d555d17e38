package dev.quern.conformance.run;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import dev.quern.conformance.Verdict;
import dev.quern.data.F32Matrix;
import dev.quern.data.Workers;
import dev.quern.data.Workspace;
import dev.quern.op.Kernel;
import dev.quern.op.Numerics;
import dev.quern.spi.Variant;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/// A kernel with the operands of a case, ready to be called: straight from suite to provider, with
/// no façade between. The rules that hold for every operator need no more than this.
public abstract class Run {
  private final List<Operand> operands = new ArrayList<>();
  private final List<String> summaries = new ArrayList<>();
  private final Memory memory;

  /// @param memory where the operands lie; the caller closes it
  protected Run(Memory memory) {
    this.memory = memory;
  }

  public abstract Kernel kernel();

  /// The variants that the provider says the kernel has.
  public abstract List<Variant> variants();

  public abstract int rows();

  /// The numerics that its variants may have (rule P6).
  public Set<Numerics> permitted() {
    return Set.of(Numerics.EXACT_F32);
  }

  /// Whether a result is floats; else its bytes are compared.
  public boolean yieldsF32() {
    return true;
  }

  protected abstract void invoke(Workspace w);

  /// This call's row `r` alone, on the same kernel.
  public abstract Run row(int r);

  /// Another call of the same kernel, on operands of its own.
  ///
  /// @param rows its rows, or fewer where the spec has no room for as many
  /// @param more by how much its strides, and the position of its first row, exceed this call's
  /// @param seed what all of its operands but packed weights are generated from
  /// @param memory where they lie
  public abstract Run next(int rows, int more, long seed, Memory memory);

  /// The same shapes on the same kernel, with other inputs.
  public final Run sibling(long seed) {
    return next(rows(), 0, seed, memory);
  }

  /// Makes what [#withinBounds] judges by of what the operands hold: see [#held].
  protected abstract void reread();

  /// Judges a result by the operator's error bound.
  public abstract Verdict withinBounds(byte[] result);

  /// The bytes of the result that row `r` writes, in the order in which [#row] yields them.
  public abstract byte[] rowOf(byte[] result, int r);

  /// Calls the kernel with scratch of exactly what it asked for; what it wrote.
  public final byte[] call(Workers workers, Prefill prefill) {
    Workspace w = prepare(workers, prefill);
    invoke(w);
    return result();
  }

  /// Gives all operands what they held at first, and outputs what `prefill` says.
  public final void restore(Prefill prefill) {
    operands.forEach(o -> o.restore(prefill));
  }

  /// Gives all operands what those of a [#sibling] held at first, which then judges the result.
  public final void restore(Prefill prefill, Run sibling) {
    for (int i = 0; i < operands.size(); i++) {
      // What packed weights were made of comes last, and only one of the two may have it.
      Operand from = i < sibling.operands.size() ? sibling.operands.get(i) : operands.get(i);
      operands.get(i).restore(from.initial(), prefill);
    }
  }

  /// What may change in operands without a change of address: whatever a [#sibling] holds that this
  /// run does not.
  public final List<Change> changes(Run sibling) {
    return operands.stream()
        .filter(o -> o.written().isEmpty() || !o.prefilled())
        .filter(o -> sibling.operand(o.name()).filter(o::differs).isPresent())
        .flatMap(o -> Arrays.stream(Change.Part.values()).map(p -> new Change(o.name(), p)))
        .toList();
  }

  /// Gives an operand, or a part of it, what a [#sibling]'s holds: from the next call on, at the
  /// same address. Results are judged by it.
  public final void take(Change change, Run sibling) {
    operands.replaceAll(o ->
        o.name().equals(change.operand())
            ? o.holding(change.part().of(o.initial(), sibling.operand(o.name()).get().initial()))
            : o);
    reread();
  }

  private Optional<Operand> operand(String name) {
    return operands.stream().filter(o -> o.name().equals(name)).findFirst();
  }

  /// Restores all operands and makes a workspace.
  public final Workspace prepare(Workers workers, Prefill prefill) {
    restore(prefill);
    long bytes = kernel().scratchBytes(rows(), workers.parallelism());
    if (bytes < 0) {
      throw new IllegalStateException(
          String.format(
              Locale.ROOT, "scratchBytes(%d, %d) = %d", rows(), workers.parallelism(), bytes));
    }
    MemorySegment scratch = memory.allocate("scratch", bytes, Workspace.SCRATCH_ALIGNMENT);
    prefill.fill(scratch);
    return new Workspace(scratch, workers);
  }

  /// Calls the kernel once more, with everything as it is.
  public final void again(Workspace w) {
    invoke(w);
  }

  /// What the outputs hold.
  public final byte[] result() {
    int bytes = 0;
    for (Operand o : operands) {
      bytes += o.resultBytes();
    }
    byte[] all = new byte[bytes];
    int at = 0;
    for (Operand o : operands) {
      at = o.result(all, at);
    }
    return all;
  }

  /// The variant that runs a number of rows (rule P6).
  public final Variant variant(int rows) {
    return variants().stream().filter(v -> v.minRows() <= rows).reduce((a, b) -> b).orElseThrow();
  }

  /// An input that changed, if one did.
  public final Optional<String> changedInput() {
    return damage(true);
  }

  /// An output that was written to where it must not be, between two rows for example.
  public final Optional<String> strayWrite() {
    return damage(false);
  }

  private Optional<String> damage(boolean inputs) {
    return operands.stream()
        .filter(o -> o.written().isEmpty() == inputs)
        .filter(o -> o.firstDamage() >= 0)
        .map(o -> String.format(Locale.ROOT, "byte %d of %s", o.firstDamage(), o.name()))
        .findFirst();
  }

  /// Writes beside operands, of scratch or of the others.
  public final Optional<String> overrun(boolean ofScratch) {
    return memory.overruns().stream()
        .filter(o -> o.operand().equals("scratch") == ofScratch)
        .map(o -> o.operand() + ", " + o.where())
        .findFirst();
  }

  /// One line for each matrix: shape and what its values are like.
  public final List<String> describe() {
    return List.copyOf(summaries);
  }

  /// Where the operands lie.
  public final Memory memory() {
    return memory;
  }

  /// A new input.
  protected final MemorySegment input(Memory where, String name, byte[] bytes, long alignment) {
    return operand(where, name, bytes, alignment, List.of(), false);
  }

  /// An operand that is no longer restored or compared.
  protected final void forget(MemorySegment segment) {
    operands.removeIf(o -> o.segment().equals(segment));
  }

  /// A new operand.
  protected final MemorySegment operand(
      Memory where,
      String name,
      byte[] bytes,
      long alignment,
      List<Operand.Range> written,
      boolean prefilled) {
    MemorySegment segment = where.allocate(name, bytes.length, alignment);
    operandAt(segment, name, bytes, written, prefilled);
    return segment;
  }

  /// A new operand where another one was.
  protected final void operandAt(
      MemorySegment segment,
      String name,
      byte[] bytes,
      List<Operand.Range> written,
      boolean prefilled) {
    MemorySegment.copy(bytes, 0, segment, JAVA_BYTE, 0, bytes.length);
    operands.add(new Operand(name, segment, bytes, written, prefilled));
  }

  /// What an operand holds before a call.
  protected final byte[] held(MemorySegment segment) {
    return operands.stream()
        .filter(o -> o.segment().equals(segment))
        .findFirst()
        .orElseThrow()
        .initial();
  }

  /// What a matrix holds before a call, `[rows][cols]`.
  protected final float[] held(F32Matrix m) {
    ByteBuffer bytes = ByteBuffer.wrap(held(m.data())).order(ByteOrder.LITTLE_ENDIAN);
    float[] values = new float[m.rows() * m.cols()];
    for (int i = 0; i < values.length; i++) {
      values[i] = bytes.getFloat(4 * (i / m.cols() * m.rowStrideFloats() + i % m.cols()));
    }
    return values;
  }

  /// A new matrix that is read only.
  ///
  /// @param values `[rows][cols]`
  /// @param pad floats between two rows, which hold canaries
  protected final F32Matrix inputMatrix(String name, float[] values, int cols, int pad) {
    return matrix(name, values, cols, pad, false, false);
  }

  /// A new matrix that is written to.
  ///
  /// @param values what it holds before, `[rows][cols]`
  protected final F32Matrix outputMatrix(
      String name, float[] values, int cols, int pad, boolean prefilled) {
    return matrix(name, values, cols, pad, true, prefilled);
  }

  private F32Matrix matrix(
      String name, float[] values, int cols, int pad, boolean written, boolean prefilled) {
    int rows = values.length / cols;
    int stride = cols + pad;
    ByteBuffer bytes =
        ByteBuffer.allocate(4 * ((rows - 1) * stride + cols)).order(ByteOrder.LITTLE_ENDIAN);
    while (bytes.hasRemaining()) {
      bytes.putInt(Memory.CANARY);
    }
    List<Operand.Range> ranges = new ArrayList<>();
    for (int r = 0; r < rows; r++) {
      for (int c = 0; c < cols; c++) {
        bytes.putFloat(4 * (r * stride + c), values[r * cols + c]);
      }
      ranges.add(new Operand.Range(4L * r * stride, 4L * (r * stride + cols)));
    }
    if (!prefilled) {
      summaries.add(name + " " + Summary.of(values, rows, cols, stride));
    }
    MemorySegment data =
        operand(memory, name, bytes.array(), 4, written ? ranges : List.of(), written && prefilled);
    return new F32Matrix(data, rows, cols, stride);
  }

  /// Adds a line to [#describe].
  protected final void note(String line) {
    summaries.add(line);
  }

  /// A result as floats.
  public static float[] floats(byte[] result) {
    return MemorySegment.ofArray(result).toArray(JAVA_FLOAT_UNALIGNED);
  }
}
