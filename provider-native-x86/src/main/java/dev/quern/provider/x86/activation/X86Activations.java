package dev.quern.provider.x86.activation;

import dev.quern.data.KvFormat;
import dev.quern.op.Activation;
import dev.quern.op.AttentionKernel;
import dev.quern.op.AttentionSpec;
import dev.quern.op.Numerics;
import dev.quern.op.RmsNormKernel;
import dev.quern.op.RmsNormSpec;
import dev.quern.op.RopeKernel;
import dev.quern.op.RopePairing;
import dev.quern.op.RopeSpec;
import dev.quern.op.SwiGluKernel;
import dev.quern.op.SwiGluSpec;
import dev.quern.provider.x86.asm.Code;
import dev.quern.provider.x86.cpu.CpuRow;
import dev.quern.provider.x86.memory.NativeRoutines;
import dev.quern.provider.x86.memory.RefusedException;
import dev.quern.provider.x86.memory.WideRoutine;
import dev.quern.provider.x86.memory.WideRoutineLoader;
import dev.quern.spi.Offer;
import dev.quern.spi.Variant;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;

/// The operators without a weight matrix, of a row of the table of CPUs. All of them give a row the
/// same bits however many rows, chunks and workers there are. Code is assembled when it is first
/// asked for, and lives as long as this or any kernel that runs on it is reachable.
public final class X86Activations {
  /// Code of attention grows with a head's vectors.
  static final int MOST_HEAD_DIM = 1024;

  private final CpuRow row;
  private final WideRoutineLoader loader;
  private final Map<String, List<WideRoutine>> routines = new ConcurrentHashMap<>();

  public X86Activations(CpuRow row) {
    this(row, NativeRoutines::loadWide);
  }

  public X86Activations(CpuRow row, WideRoutineLoader loader) {
    this.row = row;
    this.loader = loader;
  }

  /// Offers RMSNorm.
  public Offer<RmsNormKernel> rmsNorm(RmsNormSpec spec) {
    return offer(
        "rmsnorm",
        name -> List.of(RmsNormCode.code(row).named(name)),
        code -> new X86RmsNorm(spec, Lanes.count(row), code.getFirst()));
  }

  /// Offers RoPE.
  public Offer<RopeKernel> rope(RopeSpec spec) {
    boolean adjacent = spec.pairing() == RopePairing.ADJACENT;
    return offer(
        adjacent ? "rope-adjacent" : "rope-half-split",
        name -> List.of((adjacent ? RopeCode.adjacent(row) : RopeCode.halves(row)).named(name)),
        code -> new X86Rope(spec, Lanes.count(row), code.getFirst()));
  }

  /// Offers SwiGLU, by SiLU alone.
  public Offer<SwiGluKernel> swiGlu(SwiGluSpec spec) {
    if (spec.activation() != Activation.SILU) {
      return Offer.declined("no machine code for " + spec.activation() + ": SILU only");
    }
    return offer(
        "swiglu",
        name -> List.of(SwiGluCode.code(row).named(name)),
        code -> new X86SwiGlu(spec, Lanes.count(row), code.getFirst()));
  }

  /// Offers attention.
  public Offer<AttentionKernel> attention(AttentionSpec spec) {
    if (!spec.kv().equals(KvFormat.F16) && !spec.kv().equals(KvFormat.F32)) {
      return Offer.declined("no kernel for a KV cache of " + spec.kv());
    }
    if (spec.headDim() > MOST_HEAD_DIM) {
      return Offer.declined(
          String.format(
              Locale.ROOT,
              "headDim=%d, and code is for %d at most",
              spec.headDim(),
              MOST_HEAD_DIM));
    }
    if (spec.window() > 0) {
      return Offer.declined(
          String.format(
              Locale.ROOT, "window=%d, and code is for all positions before", spec.window()));
    }
    if (spec.softCap() > 0) {
      return Offer.declined(
          String.format(
              Locale.ROOT, "softCap=%s, and code is for scores without a cap", spec.softCap()));
    }
    AttentionLayout layout = new AttentionLayout(spec.headDim(), spec.kv(), Lanes.count(row));
    return offer(
        "attention-" + spec.kv().id().toLowerCase(Locale.ROOT) + "-" + spec.headDim(),
        name ->
            List.of(
                AttentionCode.code(row, layout).named(name + "-range"),
                AttentionStates.fold(row, layout).named(name + "-fold"),
                AttentionStates.finish(row, layout).named(name + "-finish"),
                AttentionStates.append(row, layout).named(name + "-append")),
        code -> new X86Attention(spec, layout, code));
  }

  /// Offers a kernel on code of a name. Two that ask at once may both assemble it; one is kept.
  ///
  /// @param what for the name
  private <K> Offer<K> offer(
      String what, Function<String, List<Code>> codes, Function<List<WideRoutine>, K> kernel) {
    String name = what + "-" + Lanes.name(row);
    List<WideRoutine> loaded = routines.get(name);
    if (loaded == null) {
      try {
        loaded = loader.load(codes.apply(name));
      } catch (RefusedException e) {
        return Offer.declined(e.getMessage());
      }
      List<WideRoutine> other = routines.putIfAbsent(name, loaded);
      loaded = other == null ? loaded : other;
    }
    Variant variant = new Variant(name, 1, Numerics.EXACT_F32, true);
    return Offer.accepted(kernel.apply(loaded), variant);
  }
}
