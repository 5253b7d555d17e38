package dev.quern.provider.x86.asm;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;

/// Code with one fault in it, as a slip of whoever writes a generator would make it.
///
/// @param name what is wrong, and where
public record EmittedFault(String name, Code code) {

  /// All faults of these kinds: an instruction is left out, a number is one too large, a register
  /// is its neighbour, an address four bytes off. What only asks for cache lines has none.
  public static List<EmittedFault> of(Code code) {
    List<EmittedFault> faults = new ArrayList<>();
    Set<String> features = new TreeSet<>(code.features());
    for (int at = 0; at < code.items().size(); at++) {
      if (code.items().get(at) instanceof Instruction i && !i.op().name().startsWith("PREFETCH")) {
        List<Item> items = new ArrayList<>(code.items());
        items.remove(at);
        faults.add(new EmittedFault(name(at, i, "left out"), Code.of(items)));
        for (int o = 0; o < i.operands().size(); o++) {
          Operand other = other(i.operands().get(o));
          if (other != null) {
            List<Operand> operands = new ArrayList<>(i.operands());
            operands.set(o, other);
            add(faults, code, at, i, operands, features);
          }
        }
      }
    }
    return faults;
  }

  private static void add(
      List<EmittedFault> faults,
      Code code,
      int at,
      Instruction i,
      List<Operand> operands,
      Set<String> features) {
    Instruction wrong;
    try {
      wrong = Instruction.of(i.op(), operands, features);
    } catch (IllegalArgumentException e) {
      return; // no form takes it
    }
    List<Item> items = new ArrayList<>(code.items());
    items.set(at, wrong);
    faults.add(new EmittedFault(name(at, i, wrong.toString()), Code.of(items)));
  }

  private static String name(int at, Instruction i, String wrong) {
    return String.format(Locale.ROOT, "item %d: %s: %s", at, i, wrong);
  }

  private static Operand other(Operand operand) {
    return switch (operand) {
      case Imm imm -> new Imm(imm.value() + 1);
      case Vec v -> new Vec(v.number() ^ 1, v.bits());
      case Gp r -> new Gp(r.number() ^ 1, r.bits());
      case Tile t -> new Tile(t.number() ^ 1);
      case Mem m -> m.plus(4);
      case Broadcast b -> b.memory().plus(4).broadcast();
      case Masked m -> other(m.target()) instanceof Vec v ? v.with(m.mask()) : m.target();
      default -> null;
    };
  }
}
