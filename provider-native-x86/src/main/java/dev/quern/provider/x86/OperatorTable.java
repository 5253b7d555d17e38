package dev.quern.provider.x86;

import dev.quern.data.BlockFormat;
import dev.quern.op.AttentionKernel;
import dev.quern.op.AttentionSpec;
import dev.quern.op.LinearPacker;
import dev.quern.op.LinearSpec;
import dev.quern.op.Numerics;
import dev.quern.op.RmsNormKernel;
import dev.quern.op.RmsNormSpec;
import dev.quern.op.RopeKernel;
import dev.quern.op.RopeSpec;
import dev.quern.op.SwiGluKernel;
import dev.quern.op.SwiGluSpec;
import dev.quern.provider.x86.activation.X86Activations;
import dev.quern.provider.x86.cpu.CpuRow;
import dev.quern.provider.x86.linear.MixedLinears;
import dev.quern.provider.x86.linear.bf16.Bf16Linears;
import dev.quern.provider.x86.linear.exact.ExactLinears;
import dev.quern.provider.x86.linear.int8.Int8Linears;
import dev.quern.provider.x86.memory.RoutineLoader;
import dev.quern.provider.x86.memory.WideRoutineLoader;
import dev.quern.spi.Offer;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Function;

/// Who offers each operator on a row of the table of CPUs. The first that accepts a spec runs it,
/// so the faster stand first; a new family of kernels is put in here and nowhere else.
record OperatorTable(
    List<Function<LinearSpec, Offer<LinearPacker>>> linear,
    List<Function<AttentionSpec, Offer<AttentionKernel>>> attention,
    List<Function<RmsNormSpec, Offer<RmsNormKernel>>> rmsNorm,
    List<Function<RopeSpec, Offer<RopeKernel>>> rope,
    List<Function<SwiGluSpec, Offer<SwiGluKernel>>> swiGlu) {

  /// @param invariant whether all offers have to promise that ([dev.quern.spi.Platform#invariant])
  /// @param loader what makes code callable; with the other one, all code of all operators
  /// @param wide the same for operators that are no linears
  static OperatorTable of(
      CpuRow row, boolean invariant, RoutineLoader loader, WideRoutineLoader wide) {
    X86Activations others = new X86Activations(row, wide);
    return new OperatorTable(
        linear(row, invariant, loader),
        List.of(others::attention),
        List.of(others::rmsNorm),
        List.of(others::rope),
        List.of(others::swiGlu));
  }

  /// Int8 first, for which weights are read as they are stored, then exact F32. BF16 is for tiles:
  /// many rows of them take less time than int8's, and far less than F32's. Without tiles, by
  /// `vdpbf16ps`, 16 rows and more take 1.2 to 1.8 times as long as F32 on Intel's CPUs (Emerald
  /// Rapids, F16 weights: 45 and 79 GMAC/s a core), and fewer wait for memory in both. AMD's do 116
  /// GMAC/s by it, and 58 by F32's products (Zen 4, from registers): there it runs weights that are
  /// BF16, of which nothing is lost.
  private static List<Function<LinearSpec, Offer<LinearPacker>>> linear(
      CpuRow row, boolean invariant, RoutineLoader loader) {
    Int8Linears int8 = new Int8Linears(row, loader);
    ExactLinears exact = new ExactLinears(row, loader);
    if (row.equals(CpuRow.ZEN4)) {
      Bf16Linears dots = new Bf16Linears(CpuRow.AVX512_BF16, loader);
      return List.of(
          int8::offer,
          spec -> spec.weights().equals(BlockFormat.BF16) ? dots.offer(spec) : exact.offer(spec),
          exact::offer,
          dots::offer);
    }
    if (!row.equals(CpuRow.AMX)) {
      return List.of(int8::offer, exact::offer);
    }
    if (invariant) {
      Bf16Linears dots = new Bf16Linears(CpuRow.AVX512_BF16, loader);
      return List.of(int8::offer, exact::offer, dots::offer);
    }
    Bf16Linears bf16 = new Bf16Linears(row, loader);
    return List.of(
        new MixedLinears(int8, bf16)::offer,
        int8::offer,
        spec -> keepsDigits(spec) ? exact.offer(spec) : bf16.offer(spec),
        exact::offer);
  }

  /// Whether it has weights whose digits BF16 would drop, though the spec allows to keep them: who
  /// stores F32 wants them.
  private static boolean keepsDigits(LinearSpec spec) {
    return spec.weights().equals(BlockFormat.F32) && spec.tolerated().contains(Numerics.EXACT_F32);
  }

  /// The first offer that accepts; else the reasons of all.
  static <S, K> Offer<K> first(List<Function<S, Offer<K>>> factories, S spec) {
    Set<String> reasons = new LinkedHashSet<>();
    for (Function<S, Offer<K>> factory : factories) {
      switch (factory.apply(spec)) {
        case Offer.Accepted<K> accepted -> {
          return accepted;
        }
        case Offer.Declined<K> declined -> reasons.add(declined.reason());
      }
    }
    return Offer.declined(
        reasons.isEmpty() ? "no machine code for this operator" : String.join("; ", reasons));
  }
}
