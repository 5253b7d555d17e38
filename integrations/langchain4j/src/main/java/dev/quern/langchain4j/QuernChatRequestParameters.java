package dev.quern.langchain4j;

import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.request.DefaultChatRequestParameters;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;

/// LangChain4j's parameters of a request, and those that it has no names for. Null is what the
/// model's builder says, or its default.
///
/// @since 0.1
/// @stability api
public final class QuernChatRequestParameters extends DefaultChatRequestParameters {
  private final Long seed;
  private final Double minP;
  private final Double typicalP;
  private final Double repeatPenalty;
  private final Integer repeatLastN;
  private final Duration timeout;
  private final Map<String, Object> templateVariables;

  private QuernChatRequestParameters(Builder builder) {
    super(builder);
    seed = builder.seed;
    minP = builder.minP;
    typicalP = builder.typicalP;
    repeatPenalty = builder.repeatPenalty;
    repeatLastN = builder.repeatLastN;
    timeout = builder.timeout;
    templateVariables = Map.copyOf(builder.templateVariables);
  }

  public static Builder builder() {
    return new Builder();
  }

  /// As [dev.quern.llama.sampling.SamplingOptions] has it, and so the next four.
  public Long seed() {
    return seed;
  }

  public Double minP() {
    return minP;
  }

  public Double typicalP() {
    return typicalP;
  }

  public Double repeatPenalty() {
    return repeatPenalty;
  }

  public Integer repeatLastN() {
    return repeatLastN;
  }

  /// How long the request may take.
  public Duration timeout() {
    return timeout;
  }

  /// What a chat template is given besides messages and tools, such as `enable_thinking`.
  public Map<String, Object> templateVariables() {
    return templateVariables;
  }

  /// @throws UnsupportedFeatureException if they are another integration's, which may say what is
  ///   not known here
  @Override
  public QuernChatRequestParameters overrideWith(ChatRequestParameters that) {
    return builder().overrideWith(this).overrideWith(that).build();
  }

  /// @throws UnsupportedFeatureException if they are another integration's
  @Override
  public QuernChatRequestParameters defaultedBy(ChatRequestParameters that) {
    return builder().overrideWith(that).overrideWith(this).build();
  }

  @Override
  public boolean equals(Object other) {
    return super.equals(other)
        && other instanceof QuernChatRequestParameters that
        && Objects.equals(seed, that.seed)
        && Objects.equals(minP, that.minP)
        && Objects.equals(typicalP, that.typicalP)
        && Objects.equals(repeatPenalty, that.repeatPenalty)
        && Objects.equals(repeatLastN, that.repeatLastN)
        && Objects.equals(timeout, that.timeout)
        && templateVariables.equals(that.templateVariables);
  }

  @Override
  public int hashCode() {
    return Objects.hash(
        super.hashCode(),
        seed,
        minP,
        typicalP,
        repeatPenalty,
        repeatLastN,
        timeout,
        templateVariables);
  }

  @Override
  public String toString() {
    return "QuernChatRequestParameters{seed="
        + seed
        + ", minP="
        + minP
        + ", typicalP="
        + typicalP
        + ", repeatPenalty="
        + repeatPenalty
        + ", repeatLastN="
        + repeatLastN
        + ", timeout="
        + timeout
        + ", templateVariables="
        + templateVariables
        + ", "
        + super.toString()
        + "}";
  }

  /// Collects them.
  public static final class Builder extends DefaultChatRequestParameters.Builder<Builder> {
    private Long seed;
    private Double minP;
    private Double typicalP;
    private Double repeatPenalty;
    private Integer repeatLastN;
    private Duration timeout;
    private final Map<String, Object> templateVariables = new LinkedHashMap<>();

    private Builder() {}

    public Builder seed(Long seed) {
      this.seed = seed;
      return this;
    }

    public Builder seed(long seed) {
      return seed(Long.valueOf(seed));
    }

    public Builder minP(Double minP) {
      this.minP = minP;
      return this;
    }

    public Builder typicalP(Double typicalP) {
      this.typicalP = typicalP;
      return this;
    }

    public Builder repeatPenalty(Double repeatPenalty) {
      this.repeatPenalty = repeatPenalty;
      return this;
    }

    public Builder repeatLastN(Integer repeatLastN) {
      this.repeatLastN = repeatLastN;
      return this;
    }

    public Builder timeout(Duration timeout) {
      this.timeout = timeout;
      return this;
    }

    /// @param value Map, List, String, Number or Boolean
    public Builder templateVariable(String name, Object value) {
      templateVariables.put(name, value);
      return this;
    }

    @Override
    public Builder overrideWith(ChatRequestParameters that) {
      super.overrideWith(that);
      if (that instanceof QuernChatRequestParameters ours) {
        seed = other(ours.seed, seed);
        minP = other(ours.minP, minP);
        typicalP = other(ours.typicalP, typicalP);
        repeatPenalty = other(ours.repeatPenalty, repeatPenalty);
        repeatLastN = other(ours.repeatLastN, repeatLastN);
        timeout = other(ours.timeout, timeout);
        templateVariables.putAll(ours.templateVariables);
      } else if (that.getClass() != DefaultChatRequestParameters.class) {
        throw new UnsupportedFeatureException(
            "parameters of "
                + that.getClass().getName()
                + " are not supported: they may say what this model does not know, expected ChatRequestParameters.builder() or QuernChatRequestParameters.builder()");
      }
      return this;
    }

    private static <T> T other(T value, T otherwise) {
      return value != null ? value : otherwise;
    }

    @Override
    public QuernChatRequestParameters build() {
      return new QuernChatRequestParameters(this);
    }
  }
}
