package dev.quern;

import java.util.Objects;

/// A variant that gave wrong results once it was compiled, and where that was: it is declined where
/// all of this is the same again.
///
/// @param provider the provider's name
/// @param operator the operator
/// @param subject what of it, see [#subject]
/// @param variant the variant's name
/// @param jdk the JVM and its build
/// @param cpu the CPU's name and features
/// @param jar SHA-256 of the provider's JAR, in hexadecimal
/// @param because what was wrong, in one line
/// @since 0.1
/// @stability api
public record SelfcheckFailure(
    String provider,
    Operator<?, ?> operator,
    String subject,
    String variant,
    String jdk,
    String cpu,
    String jar,
    String because) {

  /// The subject of operators that have but one.
  public static final String ALL = "all";

  public SelfcheckFailure {
    Objects.requireNonNull(operator, "operator");
    provider = line(provider);
    subject = line(subject);
    variant = line(variant);
    jdk = line(jdk);
    cpu = line(cpu);
    jar = line(jar);
    because = line(because);
  }

  /// What a failure speaks of: the weight format of a linear spec, the cache format of an attention
  /// spec, the pairing of a RoPE spec. Kernels differ by these, and not by shape.
  public static String subject(Object spec) {
    return Operator.of(spec).map(operator -> operator.subject(spec)).orElse(ALL);
  }

  /// Provider, operator, subject and variant: `vector/linear/Q4_0/gemv`.
  String label() {
    return String.join("/", provider, operator.id(), subject, variant);
  }

  private static String line(String text) {
    return text.strip().replaceAll("\\s+", " ");
  }
}
