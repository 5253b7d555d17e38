package dev.quern.provider.x86.asm;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/// Builds a list of instructions, and code of it. A kernel's generator reads like the loop that it
/// emits:
///
///     Assembler a = new Assembler(features);
///     a.emit(VPXORD, sum, sum, sum);
///     a.loop(RCX, 64, () -> {
///       a.emit(VMOVUPS, w, ptr(RSI));
///       a.emit(VPDPBUSD, sum, w, ptr(RDX).broadcast());
///       a.emit(ADD, RSI, 64);
///       a.emit(ADD, RDX, 4);
///     });
///     a.emit(VMOVUPS, ptr(RDI), sum);
///     a.end();
///
/// What the CPU lacks can't be emitted: an instruction that needs a feature beyond those given is
/// refused where it is written.
public final class Assembler {
  private final Set<String> features;
  private final List<Item> items = new ArrayList<>();
  private int labels;

  /// @param features what the CPU has, in the names of Linux's `/proc/cpuinfo`
  public Assembler(Set<String> features) {
    this.features = new TreeSet<>(features);
  }

  /// Emits an instruction, destination first.
  ///
  /// @throws IllegalArgumentException if no form takes the operands, or none that the CPU has
  public void emit(Op op, Operand... operands) {
    items.add(Instruction.of(op, List.of(operands), features));
  }

  /// With a number last.
  public void emit(Op op, Operand first, long last) {
    emit(op, first, new Imm(last));
  }

  /// With a number last.
  public void emit(Op op, Operand first, Operand second, long last) {
    emit(op, first, second, new Imm(last));
  }

  /// With a number last.
  public void emit(Op op, Operand first, Operand second, Operand third, long last) {
    emit(op, first, second, third, new Imm(last));
  }

  /// A label that is not placed yet.
  public Label label() {
    return new Label(labels++);
  }

  /// The label stands for what comes next.
  public void place(Label label) {
    items.add(new Item.Place(label));
  }

  /// Does the body, takes `step` from the counter, and repeats until it is zero or less: as signed
  /// numbers, and once at least.
  public void loop(Gp counter, int step, Runnable body) {
    Label top = label();
    place(top);
    body.run();
    emit(Op.SUB, counter, step);
    emit(Op.JG, top);
  }

  /// Does the body unless the counter is zero or less.
  public void ifPositive(Gp counter, Runnable body) {
    Label end = label();
    emit(Op.TEST, counter, counter);
    emit(Op.JLE, end);
    body.run();
    place(end);
  }

  /// What follows begins at a multiple of so many bytes: a power of two, 64 at most, since code
  /// begins at a page.
  public void align(int bytes) {
    if (bytes < 1 || bytes > 64 || Integer.bitCount(bytes) != 1) {
      throw new IllegalArgumentException(
          "alignment to " + bytes + " bytes: expected a power of two, 64 at most");
    }
    items.add(new Item.Align(bytes));
  }

  /// Constants, which code must not run into: behind [#end].
  public void data(byte... bytes) {
    List<Byte> copy = new ArrayList<>(bytes.length);
    for (byte b : bytes) {
      copy.add(b);
    }
    items.add(new Item.Data(List.copyOf(copy)));
  }

  /// Constants of 32 bits.
  public void data(int... values) {
    ByteBuffer bytes =
        ByteBuffer.allocate(values.length * Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asIntBuffer().put(values);
    data(bytes.array());
  }

  /// Returns to the caller, whose upper halves of vectors must be clean: otherwise its SSE code is
  /// slow (SDM volume 1, 14.1.2).
  public void end() {
    if (features.contains("avx")) {
      emit(Op.VZEROUPPER);
    }
    emit(Op.RET);
  }

  /// The code as it is now.
  ///
  /// @throws IllegalArgumentException if a label is used and not placed, or placed twice
  public Code code() {
    return Code.of(items);
  }
}
