package dev.quern.conformance.hostile;

import dev.quern.conformance.cases.Mix;
import dev.quern.data.BlockFormat;
import dev.quern.data.F32Matrix;
import dev.quern.data.KvCache;
import dev.quern.data.KvFormat;
import dev.quern.data.Task;
import dev.quern.data.WeightMatrix;
import dev.quern.data.Workers;
import dev.quern.op.LinearKernel;
import dev.quern.op.LinearPacker;
import dev.quern.op.LinearSpec;
import dev.quern.op.RopePairing;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.Stream;

/// A mutant that nobody wrote: mutant 17 of seed 1 is the same on every machine. It is drawn from
/// what a call's sizes are, and what may go wrong from some size, call, worker or stride on.
///
/// @param seed what it is drawn from
/// @param number which of that seed's
/// @param kind what it hides behind
/// @param hostile it, as a provider
/// @param witness a call in which it is wrong
record Generated(long seed, int number, Drawn kind, Hostile hostile, Witness witness) {

  /// Draws until a witness testifies; almost always the first does.
  private static final int MAX_DRAWS = 50;

  /// The kinds, dealt in turns.
  enum Drawn {
    SIZE("wrong beyond a size"),
    FORMAT("wrong beyond a size, for one format"),
    LANE("one lane wrong, beyond a size"),
    WORKER_COUNT("wrong at one number of workers, or beyond it"),
    ONE_WORKER("one worker does nothing"),
    STRIDE("one stride taken for another"),
    CALLS("wrong after some calls"),
    KEPT("an operand or kernel kept from an earlier call");

    final String sentence;

    Drawn(String sentence) {
      this.sentence = sentence;
    }
  }

  private static final List<String> OPERATORS =
      List.of("linear", "linear", "linear", "attention", "attention", "rmsnorm", "rope", "swiglu");

  private static final Map<String, List<Size>> SIZES =
      Map.of(
          "linear", List.of(Size.INPUTS, Size.OUTPUTS, Size.ROWS),
          "attention",
              List.of(
                  Size.KV_HEADS,
                  Size.GROUP,
                  Size.HEAD_DIM,
                  Size.ROWS,
                  Size.POSITION,
                  Size.CAPACITY),
          "rmsnorm", List.of(Size.WIDTH, Size.ROWS),
          "rope", List.of(Size.HEADS, Size.HEAD_DIM, Size.ROWS, Size.POSITION),
          "swiglu", List.of(Size.WIDTH, Size.ROWS));

  /// The rule that says what is computed, where no other is nearer.
  private static final Map<String, String> RESULT =
      Map.of("linear", "L5", "attention", "A6", "rmsnorm", "N1", "rope", "R1", "swiglu", "S1");

  /// A mutant by its number. What is drawn and never shows, a tail of columns that are always whole
  /// tiles for example, is no mutant: another is drawn. It has shown if its witness, a call made
  /// for it, got another result from it than from the right kernel.
  static Generated of(long seed, int number) {
    for (int draw = 0; draw < MAX_DRAWS; draw++) {
      Generated mutant = new Draw(seed, number, new Mix(seed, number + "/" + draw)).kind();
      if (mutant.witness.sees(mutant.hostile)) {
        return mutant;
      }
    }
    throw new IllegalStateException(
        String.format(Locale.ROOT, "mutant %d of seed %d: no draw shows", number, seed));
  }

  /// By its id: `s1-17` is mutant 17 of seed 1.
  static Generated of(String id) {
    String[] parts = id.substring(1).split("-");
    return of(Long.parseLong(parts[0]), Integer.parseInt(parts[1]));
  }

  static boolean isId(String id) {
    return id.matches("s\\d+-\\d+");
  }

  static String id(long seed, int number) {
    return String.format(Locale.ROOT, "s%d-%d", seed, number);
  }

  /// What a draw is made of.
  private static final class Draw {
    private final long seed;
    private final int number;
    private final Mix mix;
    private final Drawn kind;
    private final String operator;
    private final Map<Size, Integer> needed = new EnumMap<>(Size.class);
    private String format;
    private int gapOf = -1;
    private int gap;
    private int calls = 2;

    Draw(long seed, int number, Mix mix) {
      this.seed = seed;
      this.number = number;
      this.mix = mix;
      this.kind = Drawn.values()[number % Drawn.values().length];
      this.operator = OPERATORS.get(mix.below(OPERATORS.size()));
      this.format = oneOf(formats(operator));
    }

    Generated kind() {
      return switch (kind) {
        case SIZE -> spoiled(aboveASize(), spot(false));
        case FORMAT -> {
          Condition above = aboveASize();
          Condition both =
              new Condition(
                  format.isEmpty() ? above.text : format + ", " + above.text,
                  c -> c.format().equals(format) && above.holds.test(c));
          yield spoiled(both, spot(false));
        }
        case LANE -> spoiled(aboveASize(), spot(true));
        case WORKER_COUNT -> spoiled(workers(), spot(false));
        case ONE_WORKER -> oneWorker();
        case STRIDE -> stride();
        case CALLS -> afterCalls();
        case KEPT -> kept();
      };
    }

    private record Condition(String text, Predicate<Call> holds) {}

    private Condition aboveASize() {
      Size size = oneOf(SIZES.get(operator));
      int limit = logUniform(size.smallest, size.largest - 8);
      needed.put(size, limit + 1);
      return new Condition(
          String.format(Locale.ROOT, "%s above %,d", size, limit), c -> c.size(size) > limit);
    }

    private Condition workers() {
      int count = logUniform(Size.WORKERS.smallest, Size.WORKERS.largest);
      needed.put(Size.WORKERS, count);
      return mix.oneIn(2)
          ? new Condition(
              String.format(Locale.ROOT, "%d workers", count), c -> c.size(Size.WORKERS) == count)
          : new Condition(
              String.format(Locale.ROOT, "%d workers and more", count),
              c -> c.size(Size.WORKERS) >= count);
    }

    private Spot spot(boolean lane) {
      int width = 4 << mix.below(6);
      List<Spot.Damage> damages =
          operator.equals("rope")
              ? List.of(Spot.Damage.UNWRITTEN, Spot.Damage.NEIGHBOURS, Spot.Damage.ZERO)
              : List.of(Spot.Damage.values());
      Spot.Damage damage = oneOf(damages);
      if (lane) {
        return new Spot(Spot.Where.LANE, 2 * width, mix.below(2 * width), damage);
      }
      Spot.Where where =
          oneOf(Stream.of(Spot.Where.values()).filter(w -> w != Spot.Where.LANE).toList());
      int from =
          where == Spot.Where.ROWS_FROM
              ? needed.getOrDefault(Size.ROWS, 2) - 1
              : logUniform(8, columns() - 1);
      boolean tile = where == Spot.Where.TAIL;
      return new Spot(where, tile ? width : from, 0, damage);
    }

    /// Columns that a call in question has at least.
    private int columns() {
      return Math.max(
          Witness.COLUMNS,
          Stream.of(Size.OUTPUTS, Size.WIDTH, Size.HEAD_DIM)
              .mapToInt(s -> needed.getOrDefault(s, 0))
              .max()
              .orElse(0));
    }

    private Generated spoiled(Condition condition, Spot spot) {
      return generated(
          spot.where() == Spot.Where.LAST_ROW && kind != Drawn.WORKER_COUNT ? rows() : rule(),
          condition.text + ": " + spot,
          () ->
              c -> {
                if (condition.holds.test(c)) {
                  spot.apply(c);
                } else {
                  c.apply();
                }
              });
    }

    private String rows() {
      return Map.of(
              "linear", "L4", "attention", "A7", "rmsnorm", "N6", "rope", "R6", "swiglu", "S5")
          .get(operator);
    }

    private String rule() {
      return switch (kind) {
        case SIZE, FORMAT, LANE ->
            operator.equals("linear") && !format.endsWith("f32") ? "L9" : RESULT.get(operator);
        case WORKER_COUNT, ONE_WORKER -> "P11";
        case STRIDE -> operator.equals("linear") ? "L3" : RESULT.get(operator);
        case CALLS, KEPT -> "P12";
      };
    }

    private Generated oneWorker() {
      int worker = logUniform(1, Size.WORKERS.largest - 1);
      needed.put(Size.WORKERS, worker + 1);
      return generated(
          rule(),
          String.format(Locale.ROOT, "worker %d does nothing", worker),
          () -> c -> c.withWorkers(new Without(c.w().workers(), worker)).apply());
    }

    private Generated stride() {
      int operands = operator.equals("swiglu") ? 3 : operator.equals("rope") ? 2 : 2;
      int operand = mix.below(operands); // the last is y
      boolean output = operand == operands - 1;
      int limit = logUniform(1, 1 << 17) - 1;
      int unit = mix.oneIn(2) ? 1 << (2 + mix.below(5)) : 0;
      gapOf = output ? -2 : operand;
      gap = limit + 1;
      return generated(
          rule(),
          String.format(
              Locale.ROOT,
              "gaps above %,d floats in %s: %s",
              limit,
              output ? "y" : "input " + operand,
              unit == 0
                  ? "rows are taken for dense"
                  : String.format(Locale.ROOT, "the stride is cut to a multiple of %d", unit)),
          () ->
              c -> {
                F32Matrix m = output ? c.y() : c.inputs().get(operand);
                if (m.rowStrideFloats() - m.columns() <= limit) {
                  c.apply();
                  return;
                }
                int other = unit == 0 ? m.columns() : m.rowStrideFloats() / unit * unit;
                F32Matrix view =
                    new F32Matrix(m.data(), m.rows(), m.columns(), Math.max(m.columns(), other));
                (output ? c.withY(view) : c.withInput(operand, view)).apply();
              });
    }

    private Generated afterCalls() {
      int limit = logUniform(1, 10_000);
      boolean ofKernel = mix.oneIn(2);
      Spot spot = spot(false);
      calls = limit + 1;
      return generated(
          rule(),
          String.format(
              Locale.ROOT,
              "after %,d calls of %s: %s",
              limit,
              ofKernel ? "a kernel" : "the provider",
              spot),
          () -> {
            Map<Object, Integer> made = new HashMap<>();
            return c -> {
              int before;
              synchronized (made) {
                before = made.merge(ofKernel ? c.kernel() : made.getClass(), 1, Integer::sum);
              }
              if (before > limit) {
                spot.apply(c);
              } else {
                c.apply();
              }
            };
          });
    }

    /// What is kept is found by its kernel, by the kernel's spec, or by its address.
    private enum Key {
      KERNEL,
      SPEC,
      ADDRESS
    }

    private Generated kept() {
      Key key = oneOf(List.of(Key.values()));
      String by = key.name().toLowerCase(Locale.ROOT);
      if (operator.equals("linear") && mix.oneIn(2)) {
        Key other = key == Key.KERNEL ? Key.SPEC : key;
        String text =
            String.format(
                Locale.ROOT,
                "packed weights are kept by %s",
                other == Key.SPEC ? "spec" : "the source's address");
        return new Generated(
            seed,
            number,
            kind,
            hostile(
                rule(),
                text,
                h -> {
                  Map<Object, LinearKernel> kept = new HashMap<>();
                  return h.linear((spec, packer) -> new KeptPack(packer, spec, other, kept));
                }),
            witness());
      } else if (operator.equals("attention") && mix.oneIn(2)) {
        return generated(
            rule(),
            "keys and values are kept by their address, capacity and length",
            KeptCache::new);
      }
      int inputs = operator.equals("rmsnorm") || operator.equals("swiglu") ? 2 : 1;
      int input = mix.below(inputs);
      return generated(
          rule(),
          String.format(Locale.ROOT, "input %d is kept by %s and shape", input, by),
          () -> {
            Map<Object, F32Matrix> kept = new HashMap<>();
            return c -> {
              F32Matrix m = c.inputs().get(input);
              Object owner =
                  switch (key) {
                    case KERNEL -> c.kernel();
                    case SPEC -> c.spec();
                    case ADDRESS -> m.data().address();
                  };
              F32Matrix first;
              synchronized (kept) {
                first =
                    kept.computeIfAbsent(
                        List.of(owner, m.rows(), m.columns()), k -> Kernels.copy(m));
              }
              c.withInput(input, first).apply();
            };
          });
    }

    private Generated generated(String rule, String sentence, Supplier<Call.Fault> fault) {
      return new Generated(
          seed,
          number,
          kind,
          hostile(rule, sentence, h -> Call.wire(h, operator, fault.get())),
          witness());
    }

    private Hostile hostile(
        String rule, String sentence, Function<HostileProvider, HostileProvider> fault) {
      Kind of =
          switch (kind) {
            case SIZE, FORMAT, LANE -> Kind.SIZES;
            case WORKER_COUNT, ONE_WORKER -> Kind.THREADS;
            case STRIDE -> Kind.FACADE;
            case CALLS, KEPT -> Kind.STATE;
          };
      return new Hostile(id(seed, number), of, operator, rule, sentence, fault);
    }

    private Witness witness() {
      return new Witness(
          operator,
          format,
          Map.copyOf(needed),
          gapOf,
          gap,
          calls,
          new Mix(seed, "w" + number).next());
    }

    private int logUniform(int from, int to) {
      return (int) Math.round(from * Math.pow((double) to / from, mix.uniform()));
    }

    private <T> T oneOf(List<T> list) {
      return list.get(mix.below(list.size()));
    }

    private static List<String> formats(String operator) {
      return switch (operator) {
        case "linear" ->
            Stream.concat(
                    BlockFormat.standard().stream().map(f -> f.id() + " exact-f32"),
                    BlockFormat.standard().stream()
                        .filter(f -> f.id().startsWith("Q") || f.id().startsWith("INT"))
                        .map(f -> f.id() + " int8"))
                .toList();
        case "attention" -> List.of(KvFormat.F32.id(), KvFormat.F16.id());
        case "rope" -> Stream.of(RopePairing.values()).map(RopePairing::toString).toList();
        default -> List.of("");
      };
    }
  }

  /// Workers of whom one does not do its tasks.
  private record Without(Workers workers, int worker) implements Workers {
    @Override
    public int parallelism() {
      return workers.parallelism();
    }

    @Override
    public void run(int tasks, Task task) {
      workers.run(
          tasks,
          (t, w) -> {
            if (w != worker) {
              task.run(t, w);
            }
          });
    }
  }

  /// A packer that knows what its provider has packed.
  private static final class KeptPack extends Kernels.Packer {
    private final LinearSpec spec;
    private final Draw.Key key;
    private final Map<Object, LinearKernel> kept;

    KeptPack(LinearPacker right, LinearSpec spec, Draw.Key key, Map<Object, LinearKernel> kept) {
      super(right);
      this.spec = spec;
      this.key = key;
      this.kept = kept;
    }

    @Override
    public LinearKernel pack(List<WeightMatrix> stacked, SegmentAllocator packed, Workers workers) {
      List<Object> known = new ArrayList<>(List.of(spec));
      for (WeightMatrix m : stacked) {
        known.add(key == Draw.Key.SPEC ? m.outputs() : m.data().address());
      }
      List<WeightMatrix> copies = stacked.stream().map(m -> Kernels.copy(m, packed)).toList();
      synchronized (kept) {
        return kept.computeIfAbsent(known, k -> super.pack(copies, packed, workers));
      }
    }
  }

  /// Attention that copies a cache once.
  private static final class KeptCache implements Call.Fault {
    private final Map<Object, KvCache> kept = new HashMap<>();

    @Override
    public void apply(Call call) {
      KvCache cache = call.cache();
      KvCache first;
      synchronized (kept) {
        first =
            kept.computeIfAbsent(
                List.of(
                    cache.keys().address(),
                    cache.capacity(),
                    call.size(Size.POSITION) + call.size(Size.ROWS)),
                k ->
                    new KvCache(
                        copy(cache.keys()),
                        copy(cache.values()),
                        cache.format(),
                        cache.capacity()));
      }
      call.withCache(first).apply();
    }

    private static MemorySegment copy(MemorySegment plane) {
      return Arena.ofAuto().allocate(plane.byteSize(), 64).copyFrom(plane);
    }
  }
}
