package dev.quern.provider.x86.asm;

import dev.quern.provider.x86.asm.Form.Encoding;
import dev.quern.provider.x86.asm.Slot.Place;
import java.util.ArrayList;
import java.util.List;

/// Instructions as text that GNU `as` takes under `.intel_syntax noprefix`, and makes the same
/// bytes of: where it would choose between encodings, a pseudo-prefix says which.
final class GnuText {
  private GnuText() {}

  static String of(Instruction i) {
    StringBuilder text = new StringBuilder();
    if (i.op().ambiguous()) {
      text.append(i.form().encoding() == Encoding.VEX ? "{vex} " : "{evex} ");
    }
    if (loadAmongTwo(i)) {
      text.append("{load} ");
    }
    text.append(i.op());
    for (int at = 0; at < i.operands().size(); at++) {
      text.append(at == 0 ? " " : ", ").append(operand(i, at));
    }
    return text.toString();
  }

  /// A move between registers that could be encoded as a store: `as` does that where it saves a
  /// byte.
  private static boolean loadAmongTwo(Instruction i) {
    return i.op().name().startsWith("VMOV")
        && i.form().encoding() == Encoding.VEX
        && i.form().slots().get(0).place() == Place.REG
        && i.operands().getFirst() instanceof Vec
        && i.operands().getLast() instanceof Vec;
  }

  private static String operand(Instruction i, int at) {
    Operand operand = i.operand(at);
    String text =
        switch (operand) {
          case Mem m -> size(i.memoryBytes(at)) + m;
          case Broadcast b ->
              size(i.memoryBytes(at))
                  + b.memory()
                  + "{1to"
                  + i.lengthBits() / 8 / i.memoryBytes(at)
                  + "}";
          case Operand o -> o.toString();
        };
    Masked masked = at == 0 ? i.masked() : null;
    return masked == null
        ? text
        : text + "{" + masked.mask() + "}" + (masked.zeroing() ? "{z}" : "");
  }

  private static String size(int bytes) {
    return switch (bytes) {
      case 0 -> "";
      case 1 -> "BYTE PTR ";
      case 2 -> "WORD PTR ";
      case 4 -> "DWORD PTR ";
      case 8 -> "QWORD PTR ";
      case 16 -> "XMMWORD PTR ";
      case 32 -> "YMMWORD PTR ";
      case 64 -> "ZMMWORD PTR ";
      default -> throw new IllegalArgumentException("a memory operand of " + bytes + " bytes");
    };
  }

  /// All of it, as a file for `as`. Padding is bytes here, as it was laid out.
  static String of(Code code) {
    List<String> lines = new ArrayList<>(List.of(".intel_syntax noprefix", ".text"));
    for (int i = 0; i < code.items().size(); i++) {
      lines.add(line(code, i));
    }
    return String.join("\n", lines) + "\n";
  }

  /// One item of it.
  static String line(Code code, int item) {
    return switch (code.items().get(item)) {
      case Instruction i -> "\t" + i;
      case Item.Place p -> p.label() + ":";
      case Item.Data d -> bytes(code, item);
      case Item.Align a -> bytes(code, item);
    };
  }

  private static String bytes(Code code, int item) {
    StringBuilder text = new StringBuilder();
    byte[] bytes = code.bytes(item);
    for (int at = 0; at < bytes.length; at++) {
      text.append(at % 16 > 0 ? "," : at > 0 ? "\n\t.byte " : "\t.byte ").append(bytes[at] & 0xFF);
    }
    return text.toString();
  }
}
