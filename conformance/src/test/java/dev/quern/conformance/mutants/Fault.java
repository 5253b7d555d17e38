package dev.quern.conformance.mutants;

import java.util.Locale;

/// The catalogue of deliberate faults: what is wrong, in which operator, and the rule of SPEC.md
/// that must notice. [MutantProvider] carries one of them at a time; each kernel tests for it where
/// the fault lives.
enum Fault {
  NONE("", "", "nothing: the baseline"),

  // The provider and its offers.
  NAME_UPPER_CASE("provider", "P1", "the name is Mutant"),
  NEWER_SPEC("provider", "P2", "the version of a SPEC.md that is not written yet"),
  AVAILABILITY_THROWS(
      "provider", "P3", "an operating system that it does not know is an exception"),
  AVAILABILITY_WITHOUT_REASON("provider", "P3", "unavailable on macOS, and no word why"),
  OFFER_THROWS("provider", "P4", "a format that it does not know is an exception"),
  OFFER_NULL("provider", "P4", "declines by null"),
  OFFER_UNSTABLE("provider", "P4", "every second time rope is declined"),
  ACCEPTS_UNKNOWN("provider", "P4", "a cache of a format that nobody knows is taken for F16"),
  LAST_PLATFORM_DECIDES(
      "provider", "P22", "the platform that was opened last decides what all sets offer"),
  CLOSE_ENDS_ALL("provider", "P22", "closing a set closes what others have, too"),
  CLOSE_TWICE_THROWS("provider", "P22", "closing again is an exception"),
  DECLARED_LOST("provider", "support", "Q5_K is declared, and declined: a kernel got lost"),
  DECLARATION_LACKS("provider", "support", "half-split rope is accepted, and not declared"),

  // Linear: what is computed.
  TAIL_DROPPED("linear", "L5", "the last weight of a row is left out where inputs % 4 is not 0"),
  LAST_BLOCK_DROPPED("linear", "L5", "the last of several blocks of a row is left out"),
  ODD_LAST_ROW_DROPPED("linear", "L1", "rows are taken in pairs, and the last odd row is left out"),
  NEIGHBOUR_SCALE("linear", "F1", "the second half of a Q4_0 block has the next block's scale"),
  NIBBLES_INTERLEAVED("linear", "F1", "Q4_0 nibbles are taken as elements 2j and 2j + 1"),
  MINIMUM_OF_32("linear", "F1", "Q2_K: two groups of 16 have the first one's minimum"),
  THIRD_BIT_INVERTED("linear", "F1", "Q3_K: 4 is subtracted where the third bit is set"),
  UPPER_SCALE_BITS_SHIFTED(
      "linear", "F1", "Q3_K: a scale's upper two bits are those of the scale four further on"),
  SCALE_NOT_HALVED("linear", "F1", "MXFP4: the table's numbers, twice E2M1's, by the whole scale"),
  POWER_AS_F16("linear", "F1", "MXFP4: a scale is an F16 number, the nearest where it is none"),
  STACK_REVERSED("linear", "L2", "stacked matrices appear in y from the last to the first"),
  X_STRIDE_IGNORED("linear", "L3", "rows of x are taken to be dense"),
  Y_STRIDE_IGNORED("linear", "L3", "rows of y are taken to be dense"),
  WRITES_STRIDE_GAP("linear", "L3", "y is written in whole vectors, into the gap between two rows"),
  ACCUMULATE_IGNORED("linear", "L5", "y is overwritten though the spec accumulates"),
  BATCH_SHARES_STEP("linear", "L4", "all rows of a batch are dequantized with row 0's steps"),
  VARIANT_HIDDEN("linear", "L4", "from 3 rows on sums run in another order: an undeclared variant"),
  ROUNDS_TOWARDS_ZERO("linear", "L6", "activations are cut off, not rounded"),
  STEP_OF_128("linear", "L6", "the step is max / 128, so that -128 and 128 appear"),
  GROUP_MAX_IS_SIGNED("linear", "L6", "a group's step comes from max x, not from max abs(x)"),
  ROW_MINIMUM_NOT_ZERO("linear", "L7", "lo is min x even if all x are positive"),
  ZERO_POINT_FORGOTTEN("linear", "L7", "products are not corrected by the zero point"),
  RECIPROCAL_APPROXIMATE("linear", "L6", "1 / d is right to 12 bits, as rcpps gives it"),
  SIGN_WRAP("linear", "L9", "a weight of -128 is negated as a byte, and stays -128"),
  INT16_SUMS("linear", "L9", "products are summed by fours as int16, which saturates"),
  NAN_EATEN("linear", "L10", "int8 activations: NaN is quantized to 0"),
  INFINITY_EATEN("linear", "L10", "only NaN is looked for, so that an infinity gives an infinity"),
  NAN_SPREADS("linear", "L10", "one row's NaN marks the whole batch"),
  WEIGHT_NAN_EATEN("linear", "L11", "infinities and NaN in weights are widened to 2^16"),
  SUMS_CLAMPED("linear", "L11", "sums are clamped, so that an infinity becomes the largest number"),
  WEIGHT_NAN_SPREADS("linear", "L11", "outputs are computed in pairs that share a NaN check"),
  BIAS_DROPPED("linear", "L14", "the bias is left out"),
  BIAS_BY_ROWS("linear", "L14", "the bias is added twice where there are several rows"),
  BIAS_SHIFTED("linear", "L14", "each output has the next one's bias, the last its own"),
  BIAS_OF_FIRST("linear", "L14", "only the first of the stacked matrices has its bias"),
  BIAS_ROUNDED("linear", "L14", "the bias is rounded to BF16"),
  BIAS_SCALED("linear", "L14", "int8: the bias is added to the sums before the row's step"),
  BIAS_WITHOUT_TAIL("linear", "L14", "outputs behind the last whole four have no bias"),
  BIAS_NOT_ADDED("linear", "L14", "the bias is left out where the spec accumulates"),
  BIAS_OVERWRITES(
      "linear", "L14", "y becomes the bias and the products where the spec accumulates"),
  BIAS_READ_LATER("linear", "L14", "the bias is read where the caller had it"),
  BIAS_NAN_EATEN("linear", "L14", "a bias that is not finite is taken for 0"),

  // Linear: the rules of section P.
  SILENT_DECLINE("linear", "P5", "Q5_1 is accepted, and y becomes zero"),
  NUMERICS_LIE("linear", "P6", "exact-f32 is declared, int8-sym-32 runs"),
  MIN_ROWS_LIE("linear", "P6", "the int8 variant runs from 3 rows on, 4 are declared"),
  NOT_TOLERATED("linear", "P6", "int8 is offered where exact-f32 alone is tolerated"),
  OVER_READ_X("linear", "P7", "one vector after the last element of x is read, as native code can"),
  OVER_READ_WEIGHTS("linear", "P7", "one vector after the last weight is read, as native code can"),
  OVER_WRITE_Y("linear", "P7", "one element after the last of y is written"),
  X_MODIFIED("linear", "P8", "x is rounded in place"),
  STALE_SCRATCH("linear", "P9", "a sum in scratch is not cleared before the first product"),
  STALE_OUTPUT("linear", "P9", "y is added to though the spec does not accumulate"),
  SCRATCH_UNDER_DECLARED("linear", "P10", "scratch is declared for one worker, used by all"),
  SCRATCH_SHRINKS("linear", "P10", "less scratch is declared for many rows than for few"),
  OVER_WRITE_SCRATCH("linear", "P10", "one element after the declared scratch is written"),
  SPLIT_SUMS("linear", "P11", "each worker sums a part of the inputs: bits depend on their number"),
  SHARED_SCRATCH("linear", "P11", "all workers decode weights to the same scratch: a race"),
  WORKER_IS_TASK("linear", "P11", "the worker's number, not the task's, picks the outputs"),
  KEEPS_STATE("linear", "P12", "quantized rows are kept in the kernel, not in scratch"),
  STARTS_THREAD("linear", "P13", "a thread of its own runs each call"),
  NESTED_RUN("linear", "P13", "a task hands out tasks"),
  ALLOCATES("linear", "P14", "an array of the row's length is allocated in each call"),
  ALLOCATES_BY_ROW("linear", "P14", "a small object is allocated for each row"),
  READS_SOURCE("linear", "P16", "the source is read after pack, and retainsSource() is false"),
  PACKS_ELSEWHERE("linear", "P16", "packed weights are not allocated from pack's allocator"),
  FAILURE_SWALLOWED("linear", "P18", "an exception of the workers is caught and dropped"),
  SUM_BACKWARDS_ALONE(
      "linear", "P21", "invariant: a row alone is summed from its end, by a variant of its own"),
  MIXED_NUMERICS("linear", "P21", "invariant: exact-f32 for few rows, int8 for many"),

  // Attention.
  MASK_ONE_MORE("attention", "A1", "a row sees the position after its own"),
  MASK_ONE_FEWER("attention", "A1", "a row does not see its own position"),
  MASK_BY_ZERO("attention", "A1", "hidden positions take part with weight 0, and 0 * NaN is NaN"),
  GROUPS_INTERLEAVED("attention", "A2", "query head h reads KV head h % kvHeads"),
  APPEND_TRUNCATES("attention", "A3", "F16: the fraction is cut off, not rounded"),
  APPEND_SATURATES("attention", "A3", "F16: overflow gives 65504, not infinity"),
  APPEND_MISPLACED("attention", "A3", "rows go to positions 0, 1, ... wherever they belong"),
  APPEND_OVERSHOOTS("attention", "A3", "the first element of the next position is cleared"),
  HEAD_STRIDE_POSITIONS(
      "attention", "A4", "heads are taken to be as far apart as filled positions"),
  NO_MAX_SUBTRACTED("attention", "A5", "softmax without subtracting the largest score"),
  SCALE_IGNORED("attention", "A6", "1 / sqrt(headDim), whatever the spec's scale is"),
  SMALL_WEIGHTS_SKIPPED("attention", "A6", "positions with a weight below 0.001 are left out"),
  WINDOW_ONE_MORE("attention", "A10", "a row sees the position before its window"),
  WINDOW_ONE_FEWER("attention", "A10", "a row does not see the first position of its window"),
  WINDOW_OF_FIRST_ROW("attention", "A10", "all rows begin where the call's first row does"),
  WINDOW_OF_LAST_ROW("attention", "A10", "all rows begin where the call's last row does"),
  WINDOW_BY_ZERO(
      "attention", "A10", "positions before the window have weight 0, and 0 * NaN is NaN"),
  WINDOW_IGNORED("attention", "A10", "a row sees all positions up to its own"),
  CAP_BEFORE_SCALE("attention", "A11", "the dot product is capped, then scaled"),
  CAP_AFTER_SOFTMAX("attention", "A11", "weights are capped, not scores"),
  CAP_IGNORED("attention", "A11", "scores stay as they are"),
  CAP_CLAMPS("attention", "A11", "scores are cut off at the cap, without tanh"),
  CAP_TANH_APPROXIMATE("attention", "A11", "tanh is right to three digits"),
  SEQUENCES_SHARE_CACHE("attention", "A12", "all sequences read the first one's cache"),
  SEQUENCES_SHARE_POSITION("attention", "A12", "all sequences begin at the first one's position"),
  SEQUENCES_SWAP_OUTPUT("attention", "A12", "y has the sequences in reverse order"),
  SEQUENCES_APPEND_TO_FIRST("attention", "A12", "all sequences are appended to the first's cache"),
  SEQUENCES_BY_ALL_ROWS(
      "attention", "A12", "the rows of the call, not of the sequence, pick the arithmetic"),
  SEQUENCES_LAST_LEFT_OUT("attention", "A12", "the last of several sequences is left out"),
  SEQUENCES_EVEN(
      "attention", "A12", "each sequence is taken to have as many rows as the first has"),
  SUM_NOT_RESET("attention", "A7", "a row's sum of weights begins with the sum of the row before"),
  NAN_SCORE_MASKED("attention", "A8", "a NaN score is taken for a masked one"),
  ATTENTION_SCRATCH_OF_ROWS("attention", "P10", "scratch has room for as many scores as rows"),
  ATTENTION_ALLOCATES("attention", "P14", "scores are allocated in each call"),
  APPEND_ALLOCATES("attention", "P14", "append converts each row in an array of its own"),
  BATCH_IN_F32(
      "attention",
      "P21",
      "invariant: from two rows on values are summed in F32, by a variant of its own"),
  CAPACITY_DECIDES(
      "attention", "P21", "invariant: the cache's capacity decides where a sum begins"),

  // RMSNorm.
  EPSILON_IGNORED("rmsnorm", "N1", "epsilon is left out"),
  EPSILON_OUTSIDE("rmsnorm", "N1", "epsilon is added to the root, not below it"),
  MEAN_OVER_STRIDE("rmsnorm", "N1", "the mean divides by the row's stride"),
  WEIGHT_IGNORED("rmsnorm", "N1", "rows are not multiplied by the weight"),
  INFINITE_ROW_ZERO("rmsnorm", "N2", "an infinity makes the row's other elements 0, not NaN"),
  ZEROS_GIVE_NAN("rmsnorm", "N3", "a row of zeros is 0 / 0 before epsilon is looked at"),
  HIDDEN_EPSILON("rmsnorm", "N4", "1e-9 is added where epsilon is 0"),
  NORM_NOT_IN_PLACE("rmsnorm", "N5", "x is read again after y was cleared"),
  WEIGHT_STRETCHED("rmsnorm", "N1", "groups: the weight is stretched over the whole row"),
  GROUP_NAN_SPREADS("rmsnorm", "N2", "a NaN in the first group makes the whole row NaN"),
  ONE_MEAN_FOR_ALL_GROUPS("rmsnorm", "N7", "all groups are divided by the whole row's root"),
  HEADS_INTERLEAVED("rmsnorm", "N7", "group g has the columns g, g + groups, g + 2 * groups"),
  GROUP_SUMS_BY_DIFFERENCE(
      "rmsnorm", "N7", "a group's sum is the difference of two running sums of the row"),
  ROW_ZERO_MEAN("rmsnorm", "N6", "all rows of a batch are divided by row 0's root"),
  NORM_ALONE_F32(
      "rmsnorm",
      "P21",
      "invariant: squares of a row alone are summed in F32, by a variant of its own"),

  // RoPE.
  SINE_SIGN("rope", "R1", "rotates the other way round"),
  PAIRING_SWAPPED("rope", "R2", "the pairing that the spec does not ask for"),
  TABLE_ROW_OFF_BY_ONE("rope", "R3", "the table's row after the right one, where there is one"),
  TABLE_ROW_BY_HEAD("rope", "R3", "each head of a row uses the next row of the table"),
  ROPE_NAN_EATEN("rope", "R4", "a pair with a NaN is left as zeros"),
  COLUMNS_BEYOND("rope", "R5", "the column after the last head is cleared"),
  ROPE_ALONE_FUSED("rope", "R6", "a row alone is rotated with fused multiply-adds, a batch is not"),
  ROPE_VARIANT_FUSED(
      "rope",
      "P21",
      "invariant: a row alone is rotated with fused multiply-adds, by a variant of its own"),

  // SwiGLU.
  FAST_EXP("swiglu", "S1", "exp is right to three digits"),
  GATE_UP_SWAPPED("swiglu", "S1", "silu(up) * gate"),
  ACTIVATION_IGNORED("swiglu", "S1", "SiLU, whatever the spec's activation is"),
  GELU_BY_ERF("swiglu", "S1", "GELU: the one by erf, not the one by tanh"),
  GELU_BY_SIGMOID("swiglu", "S1", "GELU: g / (1 + exp(-1.702 * g))"),
  GELU_CONSTANT("swiglu", "S1", "GELU: 0.0447 in place of 0.044715"),
  GELU_TABLE("swiglu", "S1", "GELU: from a table by F16, as ggml has one"),
  TANH_OVERFLOWS("swiglu", "S2", "GELU: tanh is (e - 1) / (e + 1), infinity by infinity"),
  TANH_CLAMPED("swiglu", "S2", "GELU: tanh's argument is kept within -5 and 5"),
  GELU_ZERO_BELOW("swiglu", "S3", "GELU: 0 unless the gate is above -10, and NaN is not"),
  EXP_OVERFLOWS("swiglu", "S2", "exp(g) / (1 + exp(g)): infinity by infinity is NaN"),
  GATE_CLAMPED("swiglu", "S3", "gates are clamped to -80 by a comparison, which eats NaN"),
  SWIGLU_NOT_IN_PLACE("swiglu", "S4", "silu(gate) is written to y before up is read"),
  SWIGLU_ALONE_F32("swiglu", "S5", "a row alone is computed in F32, a batch in double precision"),
  SWIGLU_VARIANT_F32(
      "swiglu", "P21", "invariant: a row alone is computed in F32, by a variant of its own");

  private final String operator;
  private final String rule;
  private final String sentence;

  /// @param operator the operator that has the fault, or `provider`
  /// @param rule the rule that must notice
  /// @param sentence what is wrong
  Fault(String operator, String rule, String sentence) {
    this.operator = operator;
    this.rule = rule;
    this.sentence = sentence;
  }

  String id() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  String operator() {
    return operator;
  }

  String rule() {
    return rule;
  }

  String sentence() {
    return sentence;
  }
}
