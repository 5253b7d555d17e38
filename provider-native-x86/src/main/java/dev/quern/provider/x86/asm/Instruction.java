package dev.quern.provider.x86.asm;

import static java.util.stream.Collectors.joining;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/// An instruction with its operands, destination first, as the manual writes them.
///
/// @param operands as given; a destination under a mask is a [Masked]
/// @param form what it is encoded as
/// @param lengthBits the vector length; 128 where there is no vector
public record Instruction(Op op, List<Operand> operands, Form form, int lengthBits)
    implements Item {
  /// Chooses the form.
  ///
  /// @param features what the CPU has, in the names of Linux's `/proc/cpuinfo`
  /// @throws IllegalArgumentException if no form takes the operands, or none that the CPU has
  static Instruction of(Op op, List<Operand> operands, Set<String> features) {
    List<String> lacking = new ArrayList<>();
    for (Form form : op.forms()) {
      int length = form.length(operands);
      if (length == 0) {
        continue;
      }
      if (features.containsAll(form.needs(length))) {
        return new Instruction(op, List.copyOf(operands), form, length);
      }
      lacking.add(String.join("+", form.needs(length)));
    }
    String given = op + operands.stream().map(Object::toString).collect(joining(", ", " ", ""));
    if (!lacking.isEmpty()) {
      throw new IllegalArgumentException(
          given + ": needs " + String.join(" or ", lacking) + ", and this code is for " + features);
    }
    throw new IllegalArgumentException(
        given + ": no form of it takes these operands, forms: " + op.lines());
  }

  /// CPU features that it needs.
  public Set<String> needs() {
    return form.needs(lengthBits);
  }

  /// Bytes of an element that a bit of a write mask stands for; 0 where there is no masking.
  public int elementBytes() {
    return form.elementBytes();
  }

  /// The operand without its mask.
  public Operand operand(int i) {
    return operands.get(i) instanceof Masked m ? m.target() : operands.get(i);
  }

  /// The destination's mask; null for none.
  public Masked masked() {
    return !operands.isEmpty() && operands.get(0) instanceof Masked m ? m : null;
  }

  /// Bytes that an operand has in memory, where it is there; those of one element if it is
  /// broadcast. 0 for an address alone.
  public int memoryBytes(int i) {
    return operands.get(i) instanceof Broadcast
        ? form.broadcastBytes()
        : form.slots().get(i).memoryBytes(lengthBits);
  }

  /// In the syntax of GNU `as` under `.intel_syntax noprefix`.
  @Override
  public String toString() {
    return GnuText.of(this);
  }
}
