package dev.quern.arm;

import dev.quern.data.BlockFormat;
import java.util.List;
import java.util.Locale;

/// Which kernels of KleidiAI a CPU and a library are to get: for one row of x, and for more.
///
/// The names are written out, and not taken from the provider's table, so that a row lost there is
/// noticed here.
///
/// @param int4 of INT4 in blocks
/// @param q4 of ggml's Q4_0
/// @param int8 of int8 with a scale for each output
/// @param f32 of F32; one where it is the same for any number of rows
/// @param bf16 of BF16, or why there is none
/// @param sme those that use the matrix unit have these in its place where it may not be used
public record ArmKernels(
    List<String> int4,
    List<String> q4,
    List<String> int8,
    List<String> f32,
    List<String> bf16,
    ArmKernels sme) {

  private record Row(ArmCpu cpu, String library, ArmKernels kernels) {}

  private static final List<String> NONE = List.of();

  private static final List<String> INT4_DOTPROD =
      List.of(
          "qai8dxp1x4_qsi4c32p4x4_1x4_neon_dotprod", "qai8dxp4x4_qsi4c32p4x4_16x4_neon_dotprod");
  private static final List<String> INT4_I8MM =
      List.of(
          "qai8dxp1x8_qsi4c32p4x8_1x4x32_neon_dotprod", "qai8dxp4x8_qsi4c32p4x8_16x4x32_neon_i8mm");
  private static final List<String> INT4_SME2 =
      List.of(
          "qai8dxp1x4_qsi4c32p4vlx4_1x4vl_sme2_dot",
          "qai8dxp1vlx4_qsi4c32p4vlx4_1vlx4vl_sme2_mopa");

  private static final List<String> Q4_DOTPROD =
      List.of(
          "qsi8d32p1x4_qsi4c32p4x4_1x4_neon_dotprod", "qsi8d32p4x4_qsi4c32p4x4_16x4_neon_dotprod");
  private static final List<String> Q4_I8MM =
      List.of(
          "qsi8d32p1x8_qsi4c32p4x8_1x4x32_neon_dotprod", "qsi8d32p4x8_qsi4c32p4x8_16x4_neon_i8mm");
  private static final List<String> Q4_SVE_256 =
      List.of("qsi8d32p1x8_qsi4c32p8x8_1x8_sve_dotprod", "qsi8d32p4x8_qsi4c32p8x8_16x8_sve_i8mm");
  private static final List<String> Q4_SME2 =
      List.of(
          "qsi8d32p1x4_qsi4c32p4vlx4_1x4vl_sme2_sdot",
          "qsi8d32p1vlx4_qsi4c32p4vlx4_1vlx4vl_sme2_mopa");

  private static final List<String> INT8_DOTPROD =
      List.of("qai8dxp1x4_qsi8cxp4x4_1x4_neon_dotprod", "qai8dxp4x4_qsi8cxp4x4_16x4_neon_dotprod");
  private static final List<String> INT8_I8MM =
      List.of("qai8dxp1x8_qsi8cxp4x8_1x4_neon_dotprod", "qai8dxp4x8_qsi8cxp4x8_16x4_neon_i8mm");
  private static final List<String> INT8_SME =
      List.of(
          "qai8dxp1x4_qsi8cxp4vlx4_1x4vl_sme_dot", "qai8dxp1vlx4_qsi8cxp4vlx4_1vlx4vl_sme_mopa");
  private static final List<String> INT8_SME2 =
      List.of(
          "qai8dxp1x4_qsi8cxp4vlx4_1x4vl_sme2_dot", "qai8dxp1vlx4_qsi8cxp4vlx4_1vlx4vl_sme2_mopa");

  private static final List<String> F32_NEON = List.of("f32_f32p16x1b_6x16_neon_mla");
  private static final List<String> F32_NEON_1_8 = List.of("f32_f32p8x1biasf32_6x8x4_neon_mla");
  private static final List<String> F32_SVE = List.of("f32_f32p4vlx1b_6x4vl_sve_mla");
  private static final List<String> F32_SME =
      List.of("f32_f32p2vlx1b_1x8vl_sme_mla", "f32p2vlx1_f32p2vlx1b_2vlx2vl_sme_mopa");
  private static final List<String> F32_SME2 =
      List.of("f32_f32p2vlx1b_1x16vl_sme2_mla", "f32p2vlx1_f32p2vlx1biasf32_sme2_mopa");

  private static final List<String> BF16 =
      List.of("bf16p1x4_bf16p12x4b_1x36_neon_dot", "bf16p8x4_bf16p12x4b_8x12_neon_mmla");
  private static final List<String> BF16_LACKING =
      List.of(
          "declined: no kernel for BF16 (bf16p8x4_bf16p12x4b_8x12_neon_mmla: the CPU lacks bf16)");

  private static final ArmKernels UNAVAILABLE = new ArmKernels(NONE, NONE, NONE, NONE, NONE, null);

  public static final ArmKernels DOTPROD =
      new ArmKernels(INT4_DOTPROD, Q4_DOTPROD, INT8_DOTPROD, F32_NEON, BF16_LACKING, null);

  private static final ArmKernels DOTPROD_1_8 =
      new ArmKernels(INT4_DOTPROD, Q4_DOTPROD, INT8_DOTPROD, F32_NEON_1_8, BF16_LACKING, null);

  private static final ArmKernels I8MM =
      new ArmKernels(INT4_I8MM, Q4_I8MM, INT8_I8MM, F32_NEON, BF16, null);

  private static final ArmKernels I8MM_1_8 =
      new ArmKernels(INT4_I8MM, Q4_I8MM, INT8_I8MM, F32_NEON_1_8, BF16, null);

  private static final ArmKernels SVE =
      new ArmKernels(INT4_I8MM, Q4_I8MM, INT8_I8MM, F32_SVE, BF16, null);

  private static final ArmKernels SVE_256 =
      new ArmKernels(INT4_I8MM, Q4_SVE_256, INT8_I8MM, F32_SVE, BF16_LACKING, null);

  private static final ArmKernels SME =
      new ArmKernels(INT4_I8MM, Q4_I8MM, INT8_SME, F32_SME, BF16, SVE);

  private static final ArmKernels SME2 =
      new ArmKernels(INT4_SME2, Q4_SME2, INT8_SME2, F32_SME2, BF16, SVE);

  private static final ArmKernels SME2_1_8 =
      new ArmKernels(INT4_I8MM, Q4_SME2, INT8_I8MM, F32_SME2, BF16, I8MM_1_8);

  /// 1.8.0 (trixie) has neither SVE nor SME kernels but those of Q4_0 and F32 for SME2.
  private static final List<Row> TABLE =
      List.of(
          new Row(ArmCpu.CORTEX_A72, "sid", UNAVAILABLE),
          new Row(ArmCpu.CORTEX_A76, "sid", DOTPROD),
          new Row(ArmCpu.CORTEX_A76, "trixie", DOTPROD_1_8),
          new Row(ArmCpu.NEOVERSE_N2, "sid", I8MM),
          new Row(ArmCpu.NEOVERSE_N2, "trixie", I8MM_1_8),
          new Row(ArmCpu.NEOVERSE_V1, "sid", SVE_256),
          new Row(ArmCpu.MAX_NO_SME, "sid", SVE),
          new Row(ArmCpu.MAX_SME, "sid", SME),
          new Row(ArmCpu.MAX_SME2_16, "sid", SME2),
          new Row(ArmCpu.MAX_SME2_64, "sid", SME2),
          new Row(ArmCpu.MAX_SME2, "trixie", SME2_1_8));

  /// What a CPU gets from the KleidiAI of a Debian suite.
  ///
  /// @throws IllegalArgumentException if the table does not say
  public static ArmKernels of(String cpu, String library) {
    return TABLE.stream()
        .filter(r -> r.cpu.name().equals(cpu) && r.library.equals(library))
        .map(Row::kernels)
        .findFirst()
        .orElseThrow(() ->
            new IllegalArgumentException(
                String.format(
                    Locale.ROOT,
                    "no row for CPU '%s' with KleidiAI of '%s': add one to the table",
                    cpu,
                    library)));
  }

  /// For a weight format; empty where the provider is unavailable.
  public List<String> of(BlockFormat format) {
    return switch (format.id()) {
      case "Q4_0" -> q4;
      case "INT8_C" -> int8;
      case "F32" -> f32;
      case "BF16" -> bf16;
      default -> int4;
    };
  }

  /// Where the matrix unit may not be used.
  public ArmKernels withoutSme() {
    return sme == null ? this : sme;
  }

  public boolean available() {
    return !int4.isEmpty();
  }
}
