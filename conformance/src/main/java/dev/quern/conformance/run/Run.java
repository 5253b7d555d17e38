package dev.quern.conformance.run;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import dev.quern.conformance.judge.Judgement;
import dev.quern.data.F32Matrix;
import dev.quern.data.Workers;
import dev.quern.data.Workspace;
import dev.quern.op.Kernel;
import dev.quern.op.Numerics;
import dev.quern.spi.Variant;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/// A kernel with the operands of a case, ready to be called: straight from suite to provider, with
/// no façade between. The rules that hold for every operator need no more than this.
public abstract class Run {
  private final List<Operand> operands = new ArrayList<>();
  private final List<F32Matrix> matrices = new ArrayList<>();
  private final List<Supplier<String>> summaries = new ArrayList<>();
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
  public final Run row(int r) {
    return rowRange(r, r + 1);
  }

  /// This call's rows `from` (inclusive) to `to` (exclusive), on the same kernel.
  public abstract Run rowRange(int from, int to);

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
  public abstract Judgement withinBounds(byte[] result);

  /// The rule that says which bound that is: `L5`.
  public abstract String boundRule();

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

  /// Calls the kernel with a workspace whose scratch is left as it is; what it wrote.
  public final byte[] call(Workspace w, Prefill prefill) {
    restore(prefill);
    invoke(w);
    return result();
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
    MemorySegment scratch = scratch(scratchBytes(workers));
    prefill.fill(scratch);
    return new Workspace(scratch, workers);
  }

  /// What the kernel asks for.
  ///
  /// @throws IllegalStateException if that is less than nothing
  public final long scratchBytes(Workers workers) {
    long bytes = kernel().scratchBytes(rows(), workers.parallelism());
    if (bytes < 0) {
      throw new IllegalStateException(
          String.format(
              Locale.ROOT, "scratchBytes(%d, %d) = %d", rows(), workers.parallelism(), bytes));
    }
    return bytes;
  }

  /// New scratch, aligned as it must be and no more.
  public final MemorySegment scratch(long bytes) {
    return memory.allocate("scratch", bytes, Workspace.SCRATCH_ALIGNMENT);
  }

  /// These workers, watched: see [Watch].
  public final Watch watch(Workers workers) {
    return new Watch(workers, operands);
  }

  /// Calls the kernel with scratch of exactly what it asked for, in memory that many calls of a
  /// rule use one after the other.
  ///
  /// @param room scratch of the largest of these calls
  public final byte[] call(Workers workers, Prefill prefill, MemorySegment room) {
    long bytes = kernel().scratchBytes(rows(), workers.parallelism());
    if (bytes < 0 || bytes > room.byteSize()) {
      return call(workers, prefill); // which rule P10 speaks of
    }
    restore(prefill);
    MemorySegment scratch = room.asSlice(0, bytes);
    prefill.fill(scratch);
    invoke(new Workspace(scratch, workers));
    return result();
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
    return summaries.stream().map(Supplier::get).toList();
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
  ///
  /// @param given what the kernel got of it
  protected final void forget(MemorySegment given) {
    operands.removeIf(o -> o.place().given().equals(given));
  }

  /// A new operand.
  protected final MemorySegment operand(
      Memory where,
      String name,
      byte[] bytes,
      long alignment,
      List<Operand.Range> written,
      boolean prefilled) {
    Memory.Place place;
    if (written.isEmpty()) {
      place = where.input(name, bytes.length, alignment);
    } else {
      MemorySegment segment = where.allocate(name, bytes.length, alignment);
      place = new Memory.Place(segment, segment);
    }
    return add(Operand.alone(name, place, bytes, written, prefilled));
  }

  /// A new operand where another one was.
  ///
  /// @return the place
  protected final MemorySegment operandAt(
      MemorySegment segment,
      String name,
      byte[] bytes,
      List<Operand.Range> written,
      boolean prefilled) {
    Memory.Place place = new Memory.Place(segment, segment);
    return add(Operand.alone(name, place, bytes, written, prefilled));
  }

  private MemorySegment add(Operand operand) {
    operand.put();
    operands.add(operand);
    return operand.place().given();
  }

  /// What an operand holds before a call.
  protected final byte[] held(MemorySegment given) {
    return operands.stream()
        .filter(o -> o.place().given().equals(given))
        .findFirst()
        .orElseThrow()
        .initial();
  }

  /// What a matrix holds before a call, `[rows][columns]`.
  protected final float[] held(F32Matrix m) {
    ByteBuffer bytes = ByteBuffer.wrap(held(m.data())).order(ByteOrder.LITTLE_ENDIAN);
    float[] values = new float[m.rows() * m.columns()];
    for (int i = 0; i < values.length; i++) {
      values[i] = bytes.getFloat(4 * (i / m.columns() * m.rowStrideFloats() + i % m.columns()));
    }
    return values;
  }

  /// A new matrix that is read only.
  ///
  /// @param values `[rows][columns]`
  /// @param pad floats between two rows, which hold canaries
  protected final F32Matrix inputMatrix(String name, float[] values, int columns, int pad) {
    return matrix(name, values, columns, pad, false, false);
  }

  /// A new matrix that is written to.
  ///
  /// @param values what it holds before, `[rows][columns]`
  protected final F32Matrix outputMatrix(
      String name, float[] values, int columns, int pad, boolean prefilled) {
    return matrix(name, values, columns, pad, true, prefilled);
  }

  private F32Matrix matrix(
      String name, float[] values, int columns, int pad, boolean written, boolean prefilled) {
    int rows = values.length / columns;
    Memory.MatrixPlace at = memory.matrix(name, rows, columns, columns + pad, written);
    int stride = at.strideFloats();
    byte[] bytes = new byte[Math.toIntExact(at.place().segment().byteSize())];
    ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    while (stride > columns && buffer.remaining() >= Integer.BYTES) {
      buffer.putInt(Memory.canary(matrices.size() + 0x4000)); // another in each matrix
    }
    FloatBuffer floats = buffer.rewind().asFloatBuffer();
    List<Operand.Range> ranges = new ArrayList<>();
    for (int r = 0; r < rows; r++) {
      floats.put(r * stride, values, r * columns, columns);
      ranges.add(new Operand.Range(4L * r * stride, 4L * r * stride + 4L * columns));
    }
    if (!prefilled) {
      summaries.add(() -> name + " " + Summary.of(values, rows, columns, stride));
    }
    List<Operand.Range> writes = written ? ranges : List.of();
    MemorySegment data =
        add(
            at.alone()
                ? Operand.alone(name, at.place(), bytes, writes, prefilled)
                : new Operand(
                    name, at.place(), bytes, writes, written ? List.of() : ranges, prefilled));
    F32Matrix matrix = new F32Matrix(data, rows, columns, stride);
    matrices.add(matrix);
    return matrix;
  }

  /// A matrix once more, by another object and another segment: that two are one is told by their
  /// memory.
  protected static F32Matrix view(F32Matrix m) {
    MemorySegment data = m.data().asSlice(0);
    return new F32Matrix(data, m.rows(), m.columns(), m.rowStrideFloats());
  }

  /// The matrices of the call, in the order in which they were made; one that is two operands once.
  final List<F32Matrix> matrices() {
    return matrices;
  }

  /// Bytes that the kernel's weights were packed to.
  public long packedBytes() {
    return 0;
  }

  /// Bytes of all memory but the matrices and scratch.
  final long otherBytes() {
    return packedBytes()
        + operands.stream().mapToLong(o -> o.initial().length).sum()
        - matrices.stream().mapToLong(m -> m.data().byteSize()).sum();
  }

  /// Adds a line to [#describe].
  protected final void note(String line) {
    summaries.add(() -> line);
  }

  /// A result as floats.
  public static float[] floats(byte[] result) {
    return MemorySegment.ofArray(result).toArray(JAVA_FLOAT_UNALIGNED);
  }
}
