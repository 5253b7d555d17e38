package dev.quern.provider.kleidi;

import static dev.quern.provider.kleidi.KernelFamily.INT4_BLOCKS;
import static dev.quern.provider.kleidi.KernelFamily.INT8_CHANNELS;
import static dev.quern.provider.kleidi.KernelFamily.Q4;
import static dev.quern.provider.kleidi.RowPacking.BLOCKS;
import static dev.quern.provider.kleidi.RowPacking.BLOCKS_SME;
import static dev.quern.provider.kleidi.RowPacking.PER_ROW;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Stream;

/// Two micro-kernels that share one packed copy of the weights. The rows of a family stand best
/// first; the first that the CPU and the library have all of runs.
///
/// Kernels and packers of weights by the part of their functions' names after
/// `kai_run_matmul_clamp_f32_` and `kai_run_rhs_pack_`. SME rows need the user's word as well,
/// since a unit of it may be shared by several cores (`quern.kleidi.sme`).
///
/// Q4_0 has no row for SME without SME2: the packer of those kernels divides scales by 16 in F16,
/// so that those below 2⁻¹⁰ lose bits (seen in 1.32), and results leave the bounds of SPEC.md.
///
/// @param family what it computes
/// @param needs CPU features
/// @param gemv for one row of x
/// @param gemm for more
/// @param lhs how x is packed
/// @param rhs packers of weights, best first, that write the same layout
record KernelRow(
    KernelFamily family,
    List<String> needs,
    String gemv,
    String gemm,
    RowPacking lhs,
    List<String> rhs) {

  /// Not a feature of the operating system's: SVE with vectors of exactly 256 bits, which the
  /// kernels so marked are written for. They abort the process at any other length.
  static final String SVE_256 = "sve256";

  private static final String INT4 = "nxk_qsi4c32p_qsu4c32s1s0";
  private static final String Q4_NEON = "nxk_qsi4c32pscalef16_qsu4c32s16s0";
  private static final String INT8 = "nxk_qsi8cxp_qsi8cx_neon";

  static final List<KernelRow> TABLE =
      List.of(
          new KernelRow(
              INT4_BLOCKS,
              List.of("sme2"),
              "qai8dxp1x4_qsi4c32p4vlx4_1x4vl_sme2_dot",
              "qai8dxp1vlx4_qsi4c32p4vlx4_1vlx4vl_sme2_mopa",
              PER_ROW,
              List.of("nxk_qsi4c32ps1s0nrx4_qsu4c32s1s0_neon")),
          new KernelRow(
              INT4_BLOCKS,
              List.of("i8mm", "dotprod"),
              "qai8dxp1x8_qsi4c32p4x8_1x4x32_neon_dotprod",
              "qai8dxp4x8_qsi4c32p4x8_16x4x32_neon_i8mm",
              PER_ROW,
              List.of("nxk_qsi4c32pnrx8_qsu4c32s1s0_neon", INT4)),
          new KernelRow(
              INT4_BLOCKS,
              List.of("dotprod"),
              "qai8dxp1x4_qsi4c32p4x4_1x4_neon_dotprod",
              "qai8dxp4x4_qsi4c32p4x4_16x4_neon_dotprod",
              PER_ROW,
              List.of("nxk_qsi4c32pnrx4_qsu4c32s1s0_neon", INT4)),
          new KernelRow(
              Q4,
              List.of("sme2"),
              "qsi8d32p1x4_qsi4c32p4vlx4_1x4vl_sme2_sdot",
              "qsi8d32p1vlx4_qsi4c32p4vlx4_1vlx4vl_sme2_mopa",
              BLOCKS_SME,
              List.of("nxk_qsi4c32ps1s0scalef16_qsu4c32s16s0_neon")),
          new KernelRow(
              Q4,
              List.of(SVE_256, "i8mm", "dotprod"),
              "qsi8d32p1x8_qsi4c32p8x8_1x8_sve_dotprod",
              "qsi8d32p4x8_qsi4c32p8x8_16x8_sve_i8mm",
              BLOCKS,
              List.of(Q4_NEON)),
          new KernelRow(
              Q4,
              List.of("i8mm", "dotprod"),
              "qsi8d32p1x8_qsi4c32p4x8_1x4x32_neon_dotprod",
              "qsi8d32p4x8_qsi4c32p4x8_16x4_neon_i8mm",
              BLOCKS,
              List.of(Q4_NEON)),
          new KernelRow(
              Q4,
              List.of("dotprod"),
              "qsi8d32p1x4_qsi4c32p4x4_1x4_neon_dotprod",
              "qsi8d32p4x4_qsi4c32p4x4_16x4_neon_dotprod",
              BLOCKS,
              List.of(Q4_NEON)),
          new KernelRow(
              INT8_CHANNELS,
              List.of("sme2"),
              "qai8dxp1x4_qsi8cxp4vlx4_1x4vl_sme2_dot",
              "qai8dxp1vlx4_qsi8cxp4vlx4_1vlx4vl_sme2_mopa",
              PER_ROW,
              List.of(INT8)),
          new KernelRow(
              INT8_CHANNELS,
              List.of("sme"),
              "qai8dxp1x4_qsi8cxp4vlx4_1x4vl_sme_dot",
              "qai8dxp1vlx4_qsi8cxp4vlx4_1vlx4vl_sme_mopa",
              PER_ROW,
              List.of(INT8)),
          new KernelRow(
              INT8_CHANNELS,
              List.of("i8mm", "dotprod"),
              "qai8dxp1x8_qsi8cxp4x8_1x4_neon_dotprod",
              "qai8dxp4x8_qsi8cxp4x8_16x4_neon_i8mm",
              PER_ROW,
              List.of(INT8)),
          new KernelRow(
              INT8_CHANNELS,
              List.of("dotprod"),
              "qai8dxp1x4_qsi8cxp4x4_1x4_neon_dotprod",
              "qai8dxp4x4_qsi8cxp4x4_16x4_neon_dotprod",
              PER_ROW,
              List.of(INT8)));

  /// Whether it runs on the CPU's matrix unit.
  boolean sme() {
    return needs.contains("sme") || needs.contains("sme2");
  }

  /// What keeps the row from running; empty if nothing does. Touches no function of the library.
  ///
  /// @param smeThreads how many threads may use SME; 0 for none
  String obstacle(Set<String> features, int smeThreads, KleidiAi library) {
    List<String> lacking = needs.stream().filter(n -> !features.contains(n)).toList();
    if (!lacking.isEmpty()) {
      return "the CPU lacks " + String.join(" and ", lacking);
    }
    if (sme() && smeThreads == 0) {
      return "quern.kleidi.sme is off";
    }
    List<String> missing = new ArrayList<>(library.missing(symbols()));
    List<String> packers = rhs.stream().map(r -> "kai_run_rhs_pack_" + r).toList();
    if (library.missing(packers.stream()).size() == packers.size()) {
      missing.add(String.join(" or ", packers));
    }
    return missing.isEmpty() ? "" : "the library lacks " + String.join(" and ", missing);
  }

  /// Opens it. What [#obstacle] names must not be there: a kernel that the CPU lacks ends the
  /// process, and so it is asked once more.
  ///
  /// @throws IllegalArgumentException if there is an obstacle, or if the two kernels don't share a
  ///   layout
  KernelPair open(Set<String> features, int smeThreads, KleidiAi library) {
    String obstacle = obstacle(features, smeThreads, library);
    if (!obstacle.isEmpty()) {
      throw new IllegalArgumentException(
          String.format(Locale.ROOT, "KleidiAI kernel %s: %s", gemm, obstacle));
    }
    String packer =
        rhs.stream()
            .filter(r -> library.missing(Stream.of("kai_run_rhs_pack_" + r)).isEmpty())
            .findFirst()
            .orElseThrow();
    return new KernelPair(
        this,
        library.microKernel(gemv, family.blocks()),
        library.microKernel(gemm, family.blocks()),
        library.lhsPacker(lhs.packer(), lhs.blocks()),
        family.rhsPacker(library, packer),
        sme() ? smeThreads : Integer.MAX_VALUE);
  }

  private Stream<String> symbols() {
    return Stream.of(
        "kai_run_matmul_clamp_f32_" + gemv,
        "kai_run_matmul_clamp_f32_" + gemm,
        "kai_run_lhs_quant_pack_" + lhs.packer());
  }
}
