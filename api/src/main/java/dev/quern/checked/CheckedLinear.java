package dev.quern.checked;

import dev.quern.data.F32Matrix;
import dev.quern.data.WeightMatrix;
import dev.quern.data.Workers;
import dev.quern.data.Workspace;
import dev.quern.op.LinearKernel;
import dev.quern.op.LinearPacker;
import dev.quern.op.LinearSpec;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/// A linear kernel with its arguments checked. It also knows the memory that its weights live in,
/// and so notices when that is closed too early: native code would read what is no longer there.
///
/// @param kernel the provider's
/// @param spec what it does
/// @param retainsSource what the kernel said of itself once it was packed
/// @param weights the segments that the kernel reads on every call
public record CheckedLinear(
    LinearKernel kernel,
    LinearSpec spec,
    boolean retainsSource,
    List<MemorySegment> weights,
    Site site)
    implements LinearKernel {

  @Override
  public long scratchBytes(int rows, int parallelism) {
    return site.scratchBytes(kernel, rows, parallelism);
  }

  @Override
  public void apply(F32Matrix x, F32Matrix y, Workspace w) {
    site.notNull(x, "x");
    int rows = x.rows();
    site.input(x, "x", rows, spec.inputs(), "inputs");
    site.output(y, "y", rows, spec.outputs(), "outputs");
    long scratchBytes = site.workspace(kernel, w, rows);
    site.disjoint(y, "y", x, "x");
    site.disjoint(x, "x", w.scratch(), scratchBytes, "scratch");
    site.disjoint(y, "y", w.scratch(), scratchBytes, "scratch");
    for (int i = 0; i < weights.size(); i++) {
      site.reachable(weights.get(i), "the memory of the weights", rows);
      site.disjoint(y, "y", weights.get(i), "the memory of the weights");
    }
    try {
      kernel.apply(x, y, w);
    } catch (Throwable e) { // foreign code
      throw site.failure("apply", rows, e, memory(x, y), w.workers());
    }
  }

  private List<MemorySegment> memory(F32Matrix x, F32Matrix y) {
    List<MemorySegment> memory = new ArrayList<>(weights);
    memory.add(x.data());
    memory.add(y.data());
    return memory;
  }

  @Override
  public String toString() {
    return site.toString();
  }

  /// A packer with its arguments checked.
  public record Packer(LinearPacker packer, LinearSpec spec, Site site) implements LinearPacker {

    @Override
    public LinearKernel pack(List<WeightMatrix> stacked, SegmentAllocator packed, Workers workers) {
      site.open();
      if (spec.bias()) {
        throw site.error(0, "pack without a bias, expected one: the spec has a bias");
      }
      return packed(stacked, MemorySegment.NULL, packed, workers);
    }

    @Override
    public LinearKernel pack(
        List<WeightMatrix> stacked, MemorySegment bias, SegmentAllocator packed, Workers workers) {
      site.open();
      if (!spec.bias()) {
        throw site.error(0, "pack with a bias, expected none: the spec has no bias");
      }
      site.notNull(bias, "bias");
      return packed(stacked, bias, packed, workers);
    }

    /// @param bias NULL where the spec has none
    private LinearKernel packed(
        List<WeightMatrix> stacked, MemorySegment bias, SegmentAllocator packed, Workers workers) {
      site.notNull(stacked, "stacked");
      site.notNull(packed, "packed");
      site.notNull(workers, "workers");
      if (workers.parallelism() < 1) {
        throw site.error(0, "workers.parallelism=" + workers.parallelism() + ", expected >= 1");
      }
      List<MemorySegment> weights = Collections.synchronizedList(new ArrayList<>());
      List<WeightMatrix> source = checked(stacked);
      if (spec.bias()) {
        bias(bias);
      }
      SegmentAllocator allocator = recording(packed, weights);
      LinearKernel kernel;
      boolean retainsSource;
      try {
        kernel =
            spec.bias()
                ? packer.pack(source, bias, allocator, workers)
                : packer.pack(source, allocator, workers);
        retainsSource = kernel != null && kernel.retainsSource();
      } catch (Throwable e) { // foreign code
        List<MemorySegment> memory =
            Stream.concat(source.stream().map(WeightMatrix::data), Stream.of(bias)).toList();
        throw site.failure("pack", 0, e, memory, workers, packed, allocator);
      }
      if (kernel == null) {
        throw site.defect(0, "pack returned null, expected a kernel");
      }
      if (retainsSource) {
        for (WeightMatrix m : stacked) {
          weights.add(m.data());
          weights.add(m.scales());
        }
      }
      return new CheckedLinear(kernel, spec, retainsSource, List.copyOf(weights), site);
    }

    private List<WeightMatrix> checked(List<WeightMatrix> stacked) {
      long outputs = 0;
      for (int i = 0; i < stacked.size(); i++) {
        String name = "stacked[" + i + "]";
        WeightMatrix m = stacked.get(i);
        site.notNull(m, name);
        if (!m.format().equals(spec.weights())) {
          throw site.error(
              0, name + ".format=" + m.format() + ", expected weights=" + spec.weights());
        }
        if (m.inputs() != spec.inputs()) {
          throw site.error(
              0, name + ".inputs=" + m.inputs() + ", expected inputs=" + spec.inputs());
        }
        outputs += m.outputs();
        source(m.data(), name + ".data");
        source(m.scales(), name + ".scales");
      }
      if (outputs != spec.outputs()) {
        throw site.error(
            0,
            String.format(
                Locale.ROOT,
                "the %d stacked matrices have %d outputs together, expected outputs=%d",
                stacked.size(),
                outputs,
                spec.outputs()));
      }
      return List.copyOf(stacked);
    }

    private void bias(MemorySegment bias) {
      long bytes = (long) spec.outputs() * Float.BYTES;
      if (bias.byteSize() != bytes) {
        throw site.error(
            0,
            String.format(
                Locale.ROOT,
                "bias holds %d bytes, expected %d: an F32 number for each of outputs=%d",
                bias.byteSize(),
                bytes,
                spec.outputs()));
      }
      source(bias, "bias");
      if (bias.address() % Float.BYTES != 0) {
        throw site.error(
            0,
            String.format(
                Locale.ROOT,
                "bias starts at address 0x%x, expected a multiple of %d",
                bias.address(),
                Float.BYTES));
      }
    }

    private void source(MemorySegment segment, String name) {
      site.offHeap(segment, name, 0);
      site.reachable(segment, name, 0);
    }

    /// Providers may allocate from several threads at once.
    private SegmentAllocator recording(SegmentAllocator packed, List<MemorySegment> allocated) {
      return (bytes, alignment) -> {
        MemorySegment segment = packed.allocate(bytes, alignment);
        site.offHeap(segment, "memory for packed weights", 0);
        site.reachable(segment, "memory for packed weights", 0);
        site.writable(segment, "memory for packed weights", 0);
        allocated.add(segment);
        return segment;
      };
    }

    @Override
    public String toString() {
      return site.toString();
    }
  }
}
