package foreign.xnnpack;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.quern.data.F32Matrix;
import dev.quern.data.WeightMatrix;
import dev.quern.data.Workspace;
import dev.quern.op.LinearKernel;
import dev.quern.op.LinearPacker;
import dev.quern.op.LinearSpec;
import dev.quern.op.Numerics;
import dev.quern.spi.Availability;
import dev.quern.spi.KernelSet;
import dev.quern.spi.Offer;
import dev.quern.spi.Variant;
import foreign.ForeignProvider;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodType;
import java.lang.ref.Cleaner;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/// XNNPACK's fully connected operator of int4 weights in blocks, `qd8_f32_qb4w`, behind its own
/// conversion of x, `f32_qd8`: what ExecuTorch runs. Operators hold state between `setup` and
/// `run`, so calls at the same time have operators of their own.
///
/// XNNPACK refuses a matrix with a scale that is not positive, normal and finite, and SPEC.md has no
/// such bound. So each matrix becomes two, of its blocks with positive scales and of the others with
/// their signs turned, whose results are subtracted; a column with a scale that is not finite is
/// NaN. `-Dquern.foreign.xnnpack=libXNNPACK.so.0` names the library.
public final class XnnpackProvider extends ForeignProvider {
  private static final int EXTRA = 16; // XNN_EXTRA_BYTES, on x86 without HVX
  private static final ValueLayout.OfShort SCALE =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final int EXTRA_PARAMS = 10; // XNN_EXTRA_QUANTIZATION_PARAMS

  public XnnpackProvider() {
    super("xnnpack", "quern.foreign.xnnpack", "libXNNPACK.so.0");
  }

  @Override
  protected Availability open(Library symbols, Path file) throws Throwable {
    Functions library = new Functions(symbols, new ConcurrentHashMap<>());
    library.call("xnn_initialize", MemorySegment.NULL);
    return new Availability.Ready(
        new Kernels(library), "qd8_f32_qb4w of " + file.toRealPath().getFileName());
  }

  /// Calls functions that return a status, each with what it is given.
  private record Functions(Library symbols, Map<String, MethodHandle> handles) {
    void call(String name, Object... arguments) throws Throwable {
      MethodHandle function = handles.computeIfAbsent(name, _ -> handle(name, arguments));
      int status = (int) function.invokeExact(arguments);
      if (status != 0) {
        throw new IllegalStateException(name + " returns " + status);
      }
    }

    private MethodHandle handle(String name, Object[] arguments) {
      MemoryLayout[] layouts = new MemoryLayout[arguments.length];
      for (int i = 0; i < layouts.length; i++) {
        layouts[i] =
            switch (arguments[i]) {
              case MemorySegment _ -> ADDRESS;
              case Long _ -> JAVA_LONG;
              case Float _ -> JAVA_FLOAT;
              case Byte _ -> JAVA_BYTE;
              default -> JAVA_INT;
            };
      }
      return symbols
          .handle(name, FunctionDescriptor.of(JAVA_INT, layouts))
          .asSpreader(Object[].class, arguments.length)
          .asType(MethodType.methodType(int.class, Object[].class));
    }
  }

  private record Kernels(Functions library) implements KernelSet {
    @Override
    public Offer<LinearPacker> linear(LinearSpec spec) {
      if (!spec.weights().id().startsWith("INT4_B")) {
        return Offer.declined("int4 weights in blocks alone, not " + spec.weights());
      } else if (spec.bias() || !spec.tolerated().contains(Numerics.INT8_ASYM_ROW)) {
        return Offer.declined("int8-asym-row alone, without bias");
      }
      return Offer.accepted(
          (stacked, packed, workers) -> Kernel.of(spec, stacked, library),
          new Variant("qd8-f32-qb4w", 1, Numerics.INT8_ASYM_ROW));
    }
  }

  /// The operators of one call: x's conversion, and two for each matrix.
  private record Operators(MemorySegment convert, List<MemorySegment> halves) {
    Stream<MemorySegment> all() {
      return Stream.concat(Stream.of(convert), halves.stream());
    }
  }

  /// @param finite of each output, whether all its scales are
  /// @param idle operators that no call uses; they are made as calls need them, and deleted with
  ///     the kernel
  private record Kernel(
      LinearSpec spec,
      List<WeightMatrix> stacked,
      boolean[] finite,
      Functions library,
      Queue<Operators> idle)
      implements LinearKernel {
    private static final Cleaner CLEANER = Cleaner.create();

    static Kernel of(LinearSpec spec, List<WeightMatrix> stacked, Functions library) {
      boolean[] finite = new boolean[stacked.stream().mapToInt(WeightMatrix::outputs).sum()];
      int column = 0;
      for (WeightMatrix m : stacked) {
        long blocks = spec.inputs() / m.format().blockElements();
        for (int o = 0; o < m.outputs(); o++) {
          long first = o * blocks;
          finite[column++] =
              LongStream.range(first, first + blocks).allMatch(b -> Float.isFinite(scale(m, b)));
        }
      }
      Queue<Operators> idle = new ConcurrentLinkedQueue<>();
      Kernel kernel = new Kernel(spec, stacked, finite, library, idle);
      CLEANER.register(kernel, () -> idle.forEach(o -> delete(library, o)));
      return kernel;
    }

    private static void delete(Functions library, Operators operators) {
      operators
          .all()
          .forEach(
              o -> {
                try {
                  library.call("xnn_delete_operator", o);
                } catch (Throwable e) {
                  throw new IllegalStateException(e);
                }
              });
    }

    @Override
    public boolean retainsSource() {
      return true;
    }

    @Override
    public long scratchBytes(int rows, int parallelism) {
      return 0;
    }

    @Override
    public void apply(F32Matrix x, F32Matrix y, Workspace w) {
      w.workers().run(1, (task, worker) -> multiply(x, y));
    }

    private static float scale(WeightMatrix m, long block) {
      return Float.intBitsToFloat(m.scales().getAtIndex(SCALE, block) << 16);
    }

    private Operators make(Arena arena) throws Throwable {
      MemorySegment op = arena.allocate(ADDRESS);
      library.call("xnn_create_convert_nc_f32_qd8", 0, op);
      MemorySegment convert = op.get(ADDRESS, 0);
      List<MemorySegment> halves = new ArrayList<>();
      for (WeightMatrix m : stacked) {
        halves.add(half(m, 1, arena));
        halves.add(half(m, -1, arena));
      }
      return new Operators(convert, halves);
    }

    /// For the blocks whose scales have a sign. The others are 8 times 1, which is 0.
    private MemorySegment half(WeightMatrix m, int sign, Arena arena) throws Throwable {
      long bytes = m.format().blockElements() / 2;
      long blocks = m.data().byteSize() / bytes;
      MemorySegment data = arena.allocate(m.data().byteSize() + EXTRA, 64);
      MemorySegment scales = arena.allocate(2 * blocks + EXTRA, 64);
      MemorySegment.copy(m.data(), 0, data, 0, m.data().byteSize());
      for (long b = 0; b < blocks; b++) {
        float scale = sign * scale(m, b);
        boolean ours = scale >= Float.MIN_NORMAL && Float.isFinite(scale);
        scales.setAtIndex(
            SCALE, b, (short) (Float.floatToRawIntBits(ours ? scale : 1) >>> 16));
        if (!ours) {
          data.asSlice(b * bytes, bytes).fill((byte) 0x88);
        }
      }
      MemorySegment none = MemorySegment.NULL;
      MemorySegment op = arena.allocate(ADDRESS);
      library.call(
          "xnn_create_fully_connected_nc_qd8_f32_qb4w",
          (long) spec.inputs(), (long) m.outputs(), (long) spec.inputs(), (long) m.outputs(),
          (long) m.format().blockElements(), (byte) 8, scales, data, none,
          Float.NEGATIVE_INFINITY, Float.POSITIVE_INFINITY, 0, none, none, op);
      return op.get(ADDRESS, 0);
    }

    private MemorySegment run(
        MemorySegment half, int outputs, long rows, MemorySegment q, MemorySegment params, Arena arena)
        throws Throwable {
      MemorySegment result = arena.allocate(4L * rows * outputs + EXTRA, 64);
      MemorySegment none = MemorySegment.NULL;
      library.call("xnn_reshape_fully_connected_nc_qd8_f32_qb4w", half, rows, none);
      library.call("xnn_setup_fully_connected_nc_qd8_f32_qb4w", half, q, result, params);
      library.call("xnn_run_operator", half, none);
      return result;
    }

    private void multiply(F32Matrix x, F32Matrix y) {
      try (Arena arena = Arena.ofConfined()) {
        long inputs = spec.inputs();
        long rows = x.rows();
        MemorySegment q = arena.allocate(rows * inputs + EXTRA, 64);
        MemorySegment params = arena.allocate(8 * (rows + EXTRA_PARAMS), 64);
        MemorySegment none = MemorySegment.NULL;
        Operators operators = idle.poll();
        if (operators == null) {
          try (Arena making = Arena.ofConfined()) { // weights are packed as an operator is made
            operators = make(making);
          }
        }
        MemorySegment convert = operators.convert;
        library.call(
            "xnn_reshape_convert_nc_f32_qd8",
            convert, rows, inputs, (long) x.rowStrideFloats(), inputs, none);
        library.call("xnn_setup_convert_nc_f32_qd8", convert, x.data(), q, params);
        library.call("xnn_run_operator", convert, none);
        int column = 0;
        for (int i = 0; i < stacked.size(); i++) {
          int outputs = stacked.get(i).outputs();
          MemorySegment plus = run(operators.halves.get(2 * i), outputs, rows, q, params, arena);
          MemorySegment minus = run(operators.halves.get(2 * i + 1), outputs, rows, q, params, arena);
          for (int o = 0; o < outputs; o++, column++) {
            for (int row = 0; row < rows; row++) {
              long at = (long) row * outputs + o;
              float sum = plus.getAtIndex(JAVA_FLOAT, at) - minus.getAtIndex(JAVA_FLOAT, at);
              float before = spec.accumulate() ? y.get(row, column) : 0;
              y.set(row, column, before + (finite[column] ? sum : Float.NaN));
            }
          }
        }
        idle.add(operators);
      } catch (RuntimeException | Error e) {
        throw e;
      } catch (Throwable e) {
        throw new IllegalStateException(e);
      }
    }
  }
}
