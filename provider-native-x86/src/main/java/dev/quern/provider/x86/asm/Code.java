package dev.quern.provider.x86.asm;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;

/// Finished code: its items, where each begins, and the bytes. It can be put at any address that is
/// a multiple of 64.
public final class Code {
  /// Instructions that do nothing, by length (SDM volume 2, NOP, "Recommended Multi-Byte
  /// Sequence").
  private static final List<String> NOPS =
      List.of(
          "",
          "90",
          "6690",
          "0F1F00",
          "0F1F4000",
          "0F1F440000",
          "660F1F440000",
          "0F1F8000000000",
          "0F1F840000000000",
          "660F1F840000000000");

  private static final Pattern NAME = Pattern.compile("[a-z0-9][a-z0-9._-]*");

  private final List<Item> items;
  private final int[] offsets;
  private final byte[] bytes;
  private final Map<Label, Integer> labels;
  private final String name;

  private Code(
      List<Item> items, int[] offsets, byte[] bytes, Map<Label, Integer> labels, String name) {
    this.name = name;
    this.items = items;
    this.offsets = offsets;
    this.bytes = bytes;
    this.labels = labels;
  }

  /// Lays items out. Jumps begin short, and those that don't reach become long, until all reach: a
  /// jump never becomes short again, so that this ends.
  static Code of(List<Item> given) {
    List<Item> items = new ArrayList<>(given);
    checkLabels(items);
    byte[][] fixed = fixed(items);
    while (true) {
      Code code = laidOut(items, fixed);
      boolean grown = false;
      for (int i = 0; i < items.size(); i++) {
        if (items.get(i) instanceof Instruction jump && !code.reaches(i)) {
          Form near = jump.op().forms().get(1);
          items.set(i, new Instruction(jump.op(), jump.operands(), near, jump.lengthBits()));
          grown = true;
        }
      }
      if (!grown) {
        return code;
      }
    }
  }

  private static void checkLabels(List<Item> items) {
    Set<Label> placed = new HashSet<>();
    for (Item item : items) {
      if (item instanceof Item.Place p && !placed.add(p.label())) {
        throw new IllegalArgumentException(p.label() + " is placed twice");
      }
    }
    for (Item item : items) {
      if (item instanceof Instruction i) {
        for (Operand operand : i.operands()) {
          Label label = labelOf(operand);
          if (label != null && !placed.contains(label)) {
            throw new IllegalArgumentException(i + ": " + label + " is not placed");
          }
        }
      }
    }
  }

  private static Label labelOf(Operand operand) {
    return switch (operand) {
      case Label l -> l;
      case Mem m -> m.label();
      case Broadcast b -> b.memory().label();
      case Masked m -> labelOf(m.target());
      default -> null;
    };
  }

  /// The bytes of what is the same wherever it and labels are, which is most of code: encoded once.
  private static byte[][] fixed(List<Item> items) {
    byte[][] fixed = new byte[items.size()][];
    for (int i = 0; i < fixed.length; i++) {
      if (items.get(i) instanceof Instruction instruction && !hasLabel(instruction)) {
        fixed[i] = Encoder.encode(instruction, 0, Map.of());
      }
    }
    return fixed;
  }

  private static boolean hasLabel(Instruction instruction) {
    for (Operand operand : instruction.operands()) {
      if (labelOf(operand) != null) {
        return true;
      }
    }
    return false;
  }

  /// Twice: where labels behind an instruction are is known after the first time.
  private static Code laidOut(List<Item> items, byte[][] fixed) {
    Map<Label, Integer> labels = new HashMap<>();
    int[] offsets = new int[items.size() + 1];
    for (int i = 0; i < items.size(); i++) {
      if (items.get(i) instanceof Item.Place p) {
        labels.put(p.label(), offsets[i]);
      }
      offsets[i + 1] = offsets[i] + bytes(items.get(i), fixed[i], offsets[i], Map.of()).length;
    }
    byte[] bytes = new byte[offsets[items.size()]];
    for (int i = 0; i < items.size(); i++) {
      byte[] one = bytes(items.get(i), fixed[i], offsets[i], labels);
      System.arraycopy(one, 0, bytes, offsets[i], one.length);
    }
    return new Code(List.copyOf(items), offsets, bytes, labels, "");
  }

  /// @param fixed its bytes, if they are the same everywhere; else null
  private static byte[] bytes(Item item, byte[] fixed, int offset, Map<Label, Integer> labels) {
    if (fixed != null) {
      return fixed;
    }
    return switch (item) {
      case Instruction i -> Encoder.encode(i, offset, labels);
      case Item.Place p -> new byte[0];
      case Item.Data d -> {
        byte[] bytes = new byte[d.bytes().size()];
        for (int i = 0; i < bytes.length; i++) {
          bytes[i] = d.bytes().get(i);
        }
        yield bytes;
      }
      case Item.Align a -> padding(-offset & a.bytes() - 1);
    };
  }

  private static byte[] padding(int bytes) {
    StringBuilder hex = new StringBuilder();
    for (int left = bytes; left > 0; left -= NOPS.size() - 1) {
      hex.append(NOPS.get(Math.min(left, NOPS.size() - 1)));
    }
    return HexFormat.of().parseHex(hex);
  }

  /// Whether a short jump is short enough; true for everything else.
  private boolean reaches(int item) {
    Instruction i = (Instruction) items.get(item);
    if (i.operands().size() != 1
        || !(i.operand(0) instanceof Label label)
        || i.form() != i.op().forms().get(0)) {
      return true;
    }
    int distance = labels.get(label) - offsets[item + 1];
    return distance == (byte) distance;
  }

  /// This code with a name: lower-case letters, digits, `-`, `_` and `.`, since listings are files
  /// of that name.
  public Code named(String newName) {
    if (!NAME.matcher(newName).matches()) {
      throw new IllegalArgumentException(
          "code named '" + newName + "', expected lower-case letters, digits, '-', '_' and '.'");
    }
    return new Code(items, offsets, bytes, labels, newName);
  }

  /// What it is called in listings; empty where nobody named it.
  public String name() {
    return name;
  }

  public List<Item> items() {
    return items;
  }

  /// Where an item begins; where all ends for the number of items.
  public int offset(int item) {
    return offsets[item];
  }

  /// Where a label is.
  public int offset(Label label) {
    return labels.get(label);
  }

  /// A copy of the machine code.
  public byte[] bytes() {
    return bytes.clone();
  }

  /// The machine code of one item.
  byte[] bytes(int item) {
    return Arrays.copyOfRange(bytes, offsets[item], offsets[item + 1]);
  }

  /// CPU features that its instructions need.
  public Set<String> features() {
    Set<String> features = new TreeSet<>();
    for (Item item : items) {
      if (item instanceof Instruction i) {
        features.addAll(i.needs());
      }
    }
    return features;
  }

  /// As a file that GNU `as` takes, and makes the same bytes of.
  public String text() {
    return GnuText.of(this);
  }

  /// Offsets, bytes and text side by side, as `objdump -d` prints them.
  public String listing() {
    StringBuilder listing = new StringBuilder();
    HexFormat hex = HexFormat.ofDelimiter(" ");
    for (int i = 0; i < items.size(); i++) {
      String text = GnuText.line(this, i);
      if (items.get(i) instanceof Instruction) {
        listing.append(
            String.format(
                Locale.ROOT,
                "%6x:\t%-33s%s\n",
                offsets[i],
                hex.formatHex(bytes, offsets[i], offsets[i + 1]),
                text));
      } else if (!text.isEmpty()) {
        listing.append(text).append('\n');
      }
    }
    return listing.toString();
  }
}
