package dev.quern.provider.kleidi;

import static dev.quern.provider.kleidi.KernelFamily.FLOATS;
import static dev.quern.provider.kleidi.KernelFamily.INT4_BLOCKS;
import static dev.quern.provider.kleidi.KernelFamily.INT8_CHANNELS;
import static dev.quern.provider.kleidi.KernelFamily.Q4;
import static dev.quern.provider.kleidi.KernelFamily.ROUNDED_FLOATS;
import static dev.quern.provider.kleidi.RowPacking.BLOCKS;
import static dev.quern.provider.kleidi.RowPacking.BLOCKS_SME;
import static dev.quern.provider.kleidi.RowPacking.PER_ROW;

import dev.quern.provider.kleidi.KleidiAi.LhsPacker;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/// Two micro-kernels that share one packed copy of the weights. The rows of a family stand best
/// first; the first that the CPU and the library have all of runs.
///
/// Kernels and packers of weights by the part of their functions' names after
/// `kai_run_matmul_clamp_f32_` and `kai_run_`. SME rows need the user's word as well, since a unit
/// of it may be shared by several cores (`quern.kleidi.sme`).
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

  private static final String INT4 = "rhs_pack_nxk_qsi4c32p_qsu4c32s1s0";
  private static final String Q4_NEON = "rhs_pack_nxk_qsi4c32pscalef16_qsu4c32s16s0";
  private static final String INT8 = "rhs_pack_nxk_qsi8cxp_qsi8cx_neon";
  private static final String F32_SME = "rhs_pack_nxk_f32p2vlx1biasf32_f32_f32_sme";

  static final List<KernelRow> TABLE =
      List.of(
          new KernelRow(
              INT4_BLOCKS,
              List.of("sme2"),
              "qai8dxp1x4_qsi4c32p4vlx4_1x4vl_sme2_dot",
              "qai8dxp1vlx4_qsi4c32p4vlx4_1vlx4vl_sme2_mopa",
              PER_ROW,
              List.of("rhs_pack_nxk_qsi4c32ps1s0nrx4_qsu4c32s1s0_neon")),
          new KernelRow(
              INT4_BLOCKS,
              List.of("i8mm", "dotprod"),
              "qai8dxp1x8_qsi4c32p4x8_1x4x32_neon_dotprod",
              "qai8dxp4x8_qsi4c32p4x8_16x4x32_neon_i8mm",
              PER_ROW,
              List.of("rhs_pack_nxk_qsi4c32pnrx8_qsu4c32s1s0_neon", INT4)),
          new KernelRow(
              INT4_BLOCKS,
              List.of("dotprod"),
              "qai8dxp1x4_qsi4c32p4x4_1x4_neon_dotprod",
              "qai8dxp4x4_qsi4c32p4x4_16x4_neon_dotprod",
              PER_ROW,
              List.of("rhs_pack_nxk_qsi4c32pnrx4_qsu4c32s1s0_neon", INT4)),
          new KernelRow(
              Q4,
              List.of("sme2"),
              "qsi8d32p1x4_qsi4c32p4vlx4_1x4vl_sme2_sdot",
              "qsi8d32p1vlx4_qsi4c32p4vlx4_1vlx4vl_sme2_mopa",
              BLOCKS_SME,
              List.of("rhs_pack_nxk_qsi4c32ps1s0scalef16_qsu4c32s16s0_neon")),
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
              List.of(INT8)),
          new KernelRow(
              FLOATS,
              List.of("sme2"),
              "f32_f32p2vlx1b_1x16vl_sme2_mla",
              "f32p2vlx1_f32p2vlx1biasf32_sme2_mopa",
              RowPacking.F32_SME,
              List.of(F32_SME)),
          new KernelRow(
              FLOATS,
              List.of("sme"),
              "f32_f32p2vlx1b_1x8vl_sme_mla",
              "f32p2vlx1_f32p2vlx1b_2vlx2vl_sme_mopa",
              RowPacking.F32_SME,
              List.of(F32_SME)),
          new KernelRow(
              FLOATS,
              List.of("sve"),
              "f32_f32p4vlx1b_6x4vl_sve_mla",
              "f32_f32p4vlx1b_6x4vl_sve_mla",
              RowPacking.NONE,
              List.of("rhs_pack_kxn_x32p4vlx1b_x32_x32_sve")),
          new KernelRow(
              FLOATS,
              List.of(),
              "f32_f32p16x1b_6x16_neon_mla",
              "f32_f32p16x1b_6x16_neon_mla",
              RowPacking.NONE,
              List.of("rhs_pack_nxk_x32p16x1bx32_x32_x32_neon")),
          new KernelRow(
              FLOATS,
              List.of(),
              "f32_f32p8x1biasf32_6x8x4_neon_mla",
              "f32_f32p8x1biasf32_6x8x4_neon_mla",
              RowPacking.NONE,
              List.of("rhs_pack_kxn_f32p8x1biasf32_f32_f32_neon")),
          new KernelRow(
              ROUNDED_FLOATS,
              List.of("bf16"),
              "bf16p1x4_bf16p12x4b_1x36_neon_dot",
              "bf16p8x4_bf16p12x4b_8x12_neon_mmla",
              RowPacking.BF16,
              List.of("rhs_quant_pack_kxn_bf16p12x4biasf32_f32_neon")));

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
    List<String> packers = rhs.stream().map(r -> "kai_run_" + r).toList();
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
            .filter(r -> library.missing(Stream.of("kai_run_" + r)).isEmpty())
            .findFirst()
            .orElseThrow();
    return new KernelPair(
        this,
        library.microKernel(gemv, opened(lhs.one(), library), family.blocks()),
        library.microKernel(gemm, opened(lhs.several(), library), family.blocks()),
        family.rhsPacker(new RhsPackers(library), packer),
        sme() ? smeThreads : Integer.MAX_VALUE);
  }

  private Optional<LhsPacker> opened(Optional<String> packer, KleidiAi library) {
    return packer.map(name -> library.lhsPacker(name, lhs.blocks()));
  }

  private Stream<String> symbols() {
    return Stream.concat(
        Stream.of("kai_run_matmul_clamp_f32_" + gemv, "kai_run_matmul_clamp_f32_" + gemm)
            .distinct(),
        lhs.packers().stream().map(p -> "kai_run_" + p));
  }
}
