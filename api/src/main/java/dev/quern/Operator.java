package dev.quern;

import dev.quern.checked.CheckedAttention;
import dev.quern.checked.CheckedLinear;
import dev.quern.checked.CheckedRmsNorm;
import dev.quern.checked.CheckedRope;
import dev.quern.checked.CheckedSwiGlu;
import dev.quern.checked.Site;
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
import dev.quern.spi.KernelSet;
import dev.quern.spi.Offer;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/// The operators that are chosen one by one, each with all that the façade knows of it: its types,
/// how a provider is asked for it, and how its calls are checked. A new operator is one more
/// constant, in [#values()].
///
/// @param <S> its spec
/// @param <K> what a provider offers: the kernel, or for linear the packer
/// @since 0.1
/// @stability api
public final class Operator<S, K> implements Comparable<Operator<?, ?>> {
  private static final Set<Numerics> EXACT = Set.of(Numerics.EXACT_F32);

  public static final Operator<LinearSpec, LinearPacker> LINEAR =
      new Operator<>(
          "linear",
          LinearSpec.class,
          LinearPacker.class,
          KernelSet::linear,
          CheckedLinear.Packer::new,
          LinearSpec::tolerated,
          spec -> spec.weights().id());

  public static final Operator<AttentionSpec, AttentionKernel> ATTENTION =
      new Operator<>(
          "attention",
          AttentionSpec.class,
          AttentionKernel.class,
          KernelSet::attention,
          CheckedAttention::new,
          _ -> EXACT,
          spec -> spec.kv().id());

  public static final Operator<RmsNormSpec, RmsNormKernel> RMSNORM =
      new Operator<>(
          "rmsnorm",
          RmsNormSpec.class,
          RmsNormKernel.class,
          KernelSet::rmsNorm,
          CheckedRmsNorm::new,
          _ -> EXACT,
          _ -> SelfcheckFailure.ALL);

  public static final Operator<RopeSpec, RopeKernel> ROPE =
      new Operator<>(
          "rope",
          RopeSpec.class,
          RopeKernel.class,
          KernelSet::rope,
          CheckedRope::new,
          _ -> EXACT,
          spec -> spec.pairing().name().toLowerCase(Locale.ROOT));

  public static final Operator<SwiGluSpec, SwiGluKernel> SWIGLU =
      new Operator<>(
          "swiglu",
          SwiGluSpec.class,
          SwiGluKernel.class,
          KernelSet::swiGlu,
          CheckedSwiGlu::new,
          _ -> EXACT,
          _ -> SelfcheckFailure.ALL);

  private static final List<Operator<?, ?>> VALUES =
      List.of(LINEAR, ATTENTION, RMSNORM, ROPE, SWIGLU);

  /// Asks for it.
  private interface Question<S, K> {
    Offer<K> ask(KernelSet kernels, S spec);
  }

  /// Wraps what a provider offered, so that arguments are checked.
  private interface Checks<S, K> {
    K checked(K kernel, S spec, Site site);
  }

  private final String id;
  private final Class<S> specType;
  private final Class<K> kernelType;
  private final Question<S, K> question;
  private final Checks<S, K> checks;
  private final Function<S, Set<Numerics>> tolerated;
  private final Function<S, String> subject;

  private Operator(
      String id,
      Class<S> specType,
      Class<K> kernelType,
      Question<S, K> question,
      Checks<S, K> checks,
      Function<S, Set<Numerics>> tolerated,
      Function<S, String> subject) {
    this.id = id;
    this.specType = specType;
    this.kernelType = kernelType;
    this.question = question;
    this.checks = checks;
    this.tolerated = tolerated;
    this.subject = subject;
  }

  /// All of them, in the order of SPEC.md and of reports.
  public static List<Operator<?, ?>> values() {
    return VALUES;
  }

  /// The operator of that name.
  public static Optional<Operator<?, ?>> byId(String id) {
    return VALUES.stream().filter(o -> o.id.equals(id)).findFirst();
  }

  /// The operator that a spec is of.
  static Optional<Operator<?, ?>> of(Object spec) {
    return VALUES.stream().filter(o -> o.specType.isInstance(spec)).findFirst();
  }

  /// The name that properties, messages and reports use.
  public String id() {
    return id;
  }

  /// Its place in [#values()].
  public int ordinal() {
    return VALUES.indexOf(this);
  }

  /// The class of its specs.
  public Class<S> specType() {
    return specType;
  }

  /// The class of what a provider offers.
  public Class<K> kernelType() {
    return kernelType;
  }

  /// The property that chooses providers for this operator alone.
  public String property() {
    return KernelOptions.PROVIDER + "." + id;
  }

  /// What a provider says to a spec. Nothing of it is checked: [Kernels] does that.
  public Offer<K> ask(KernelSet kernels, S spec) {
    return question.ask(kernels, spec);
  }

  /// The kernel with its arguments checked.
  K checked(K kernel, S spec, Site site) {
    return checks.checked(kernel, spec, site);
  }

  /// The arithmetics that variants may have.
  Set<Numerics> tolerated(S spec) {
    return tolerated.apply(spec);
  }

  /// What kernels differ by besides shape; see [SelfcheckFailure#subject].
  String subject(Object spec) {
    return subject.apply(specType.cast(spec));
  }

  @Override
  public int compareTo(Operator<?, ?> other) {
    return Integer.compare(ordinal(), other.ordinal());
  }

  @Override
  public String toString() {
    return id;
  }
}
