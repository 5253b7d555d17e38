package dev.quern.provider.x86.asm;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/// One way to encode an instruction: a line of the table of [Op], read. The line is in the
/// notation of the manual (SDM volume 2, 3.1.1.1), in small parts:
///
///     evex.xyz.66.0F38.W0  50  V,H,W  e4,b4  avx512_vnni
///
/// 1. The encoding (`leg`, `vex`, `evex`), lengths (`x` 128, `y` 256, `z` 512 bits; `128`, `256`,
///    `512` or `LIG` where a register says nothing of it), prefix, opcode map, W. Left out: none,
///    one byte's, 0.
/// 2. The opcode in hexadecimal; `/4` for a digit in ModRM.reg in place of a register, `/-` where
///    there is no ModRM.
/// 3. The operands, as [Slot] says.
/// 4. For EVEX: `e4`, the bytes of an element that a write mask counts, and `b4`, those that may be
///    broadcast; `-` where neither can be. Other encodings have none of it.
/// 5. What the CPU must have, in the names of Linux's `/proc/cpuinfo`, joined by `+`; `-` for what
///    each x86-64 has. Shorter vectors than 512 bits under EVEX need `avx512vl` as well.
///
/// An 8-bit displacement under EVEX counts operands (disp8*N): N is the size of the memory operand,
/// or of the broadcast element. For the tuple types of this table the manual's 2.7.5 says the same.
///
/// @param map 0 for one-byte opcodes, 1 for 0F, 2 for 0F38, 3 for 0F3A
/// @param digit in ModRM.reg; `REGISTER` or `NO_MODRM`
/// @param lengths vector lengths in bits that it exists for, longest last
/// @param elementBytes what a bit of a write mask stands for; 0 where there is no masking
/// @param broadcastBytes 0 where there is no broadcast
/// @param needs CPU features
/// @param shorterNeeds those for vectors of less than 512 bits
record Form(
    Encoding encoding,
    int prefix,
    int map,
    int w,
    int opcode,
    int digit,
    List<Integer> lengths,
    List<Slot> slots,
    int elementBytes,
    int broadcastBytes,
    Set<String> needs,
    Set<String> shorterNeeds) {

  enum Encoding {
    LEGACY,
    VEX,
    EVEX
  }

  static final int REGISTER = -1;
  static final int NO_MODRM = -2;

  /// The forms of lines, of which one that begins with `gp` stands for two: of 64 and of 32 bits.
  static List<Form> all(String... lines) {
    List<Form> all = new ArrayList<>();
    for (String line : lines) {
      if (line.startsWith("gp")) {
        all.add(of(sized(line, "64")));
        all.add(of(sized(line, "32")));
      } else {
        all.add(of(line));
      }
    }
    return List.copyOf(all);
  }

  /// `gp 89 E,G` for one size: `leg.W1 89 E64,G64`.
  private static String sized(String line, String bits) {
    String text = (bits.equals("64") ? "leg.W1" : "leg.W0") + line.substring(2);
    for (String letter : List.of("E", "G", "A")) {
      for (String before : List.of(" ", ",")) {
        for (String after : List.of(" ", ",")) {
          text = text.replace(before + letter + after, before + letter + bits + after);
        }
      }
    }
    return text;
  }

  static Form of(String line) {
    List<String> parts = parts(line);
    Encoding encoding = Encoding.LEGACY;
    int prefix = 0;
    int map = 0;
    int w = 0;
    List<Integer> lengths = List.of(128);
    boolean open = false;
    for (String token : split(parts.get(0), '.')) {
      switch (token) {
        case "leg" -> encoding = Encoding.LEGACY;
        case "vex" -> encoding = Encoding.VEX;
        case "evex" -> encoding = Encoding.EVEX;
        case "66" -> prefix = 0x66;
        case "F3" -> prefix = 0xF3;
        case "F2" -> prefix = 0xF2;
        case "0F" -> map = 1;
        case "0F38" -> map = 2;
        case "0F3A" -> map = 3;
        case "np", "W0", "WIG", "LIG", "128" -> {}
        case "W1" -> w = 1;
        case "256" -> lengths = List.of(256);
        case "512" -> lengths = List.of(512);
        case "xy", "xyz", "yz" -> {
          open = true;
          lengths =
              token.equals("xy")
                  ? List.of(128, 256)
                  : token.equals("yz") ? List.of(256, 512) : List.of(128, 256, 512);
        }
        default -> throw new IllegalArgumentException("no such part: " + token + " in " + line);
      }
    }
    List<String> code = split(parts.get(1), '/');
    int digit =
        code.size() == 1
            ? REGISTER
            : code.get(1).equals("-") ? NO_MODRM : Integer.parseInt(code.get(1));
    List<Slot> slots = new ArrayList<>();
    if (!parts.get(2).equals("-")) {
      for (String slot : split(parts.get(2), ',')) {
        slots.add(Slot.of(slot));
      }
    }
    int element = 0;
    int broadcast = 0;
    if (encoding == Encoding.EVEX && !parts.get(3).equals("-")) {
      for (String token : split(parts.get(3), ',')) {
        if (token.charAt(0) == 'e') {
          element = token.charAt(1) - '0';
        } else {
          broadcast = token.charAt(1) - '0';
        }
      }
    }
    String last = parts.getLast();
    Set<String> needs = last.equals("-") ? Set.of() : Set.copyOf(split(last, '+'));
    return new Form(
        encoding,
        prefix,
        map,
        w,
        Integer.parseInt(code.get(0), 16),
        digit,
        lengths,
        List.copyOf(slots),
        element,
        broadcast,
        needs,
        encoding == Encoding.EVEX && open ? with(needs, "avx512vl") : needs);
  }

  private static Set<String> with(Set<String> features, String more) {
    Set<String> all = new TreeSet<>(features);
    all.add(more);
    return Collections.unmodifiableSet(all);
  }

  private static List<String> parts(String line) {
    List<String> parts = split(line, ' ');
    parts.removeIf(String::isEmpty);
    return parts;
  }

  private static List<String> split(String text, char at) {
    List<String> parts = new ArrayList<>();
    int from = 0;
    for (int to; (to = text.indexOf(at, from)) >= 0; from = to + 1) {
      parts.add(text.substring(from, to));
    }
    parts.add(text.substring(from));
    return parts;
  }

  /// The length in bits for which the form takes the operands; 0 if there is none.
  int length(List<Operand> operands) {
    if (operands.size() == slots.size()) {
      for (int length : lengths) {
        if (takes(operands, length)) {
          return length;
        }
      }
    }
    return 0;
  }

  private boolean takes(List<Operand> operands, int length) {
    int registers = encoding == Encoding.EVEX ? 32 : 16;
    for (int i = 0; i < operands.size(); i++) {
      Operand operand = operands.get(i);
      boolean fits;
      if (operand instanceof Masked m) {
        fits = i == 0 && elementBytes > 0 && slots.get(0).takes(m.target(), length, registers);
      } else if (operand instanceof Broadcast) {
        fits = broadcastBytes > 0 && slots.get(i).takesMemory();
      } else {
        // One tile in two places is an invalid opcode (SDM volume 2, TDPBSSD).
        fits =
            slots.get(i).takes(operand, length, registers)
                && !(operand instanceof Tile && operands.indexOf(operand) < i);
      }
      if (!fits) {
        return false;
      }
    }
    return true;
  }

  /// CPU features that it needs at this length.
  Set<String> needs(int length) {
    return length == 512 ? needs : shorterNeeds;
  }
}
