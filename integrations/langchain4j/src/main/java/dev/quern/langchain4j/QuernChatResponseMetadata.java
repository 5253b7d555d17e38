package dev.quern.langchain4j;

import dev.langchain4j.model.chat.response.ChatResponseMetadata;
import dev.quern.llama.Generation;
import java.util.Objects;

/// LangChain4j's metadata of a response, and what an engine in the process knows besides.
///
/// @since 0.1
/// @stability api
public final class QuernChatResponseMetadata extends ChatResponseMetadata {
  private final Generation generation;
  private final Integer cachedTokens;

  private QuernChatResponseMetadata(Builder builder) {
    super(builder);
    generation = builder.generation;
    cachedTokens = builder.cachedTokens;
  }

  public static Builder builder() {
    return new Builder();
  }

  /// The reply's tokens, why it ended, and its times.
  public Generation generation() {
    return generation;
  }

  /// How many of the prompt's tokens were not run, since the engine had them from another request.
  public Integer cachedTokens() {
    return cachedTokens;
  }

  @Override
  public Builder toBuilder() {
    Builder builder = new Builder().generation(generation).cachedTokens(cachedTokens);
    toBuilder(builder);
    return builder;
  }

  @Override
  public boolean equals(Object other) {
    return super.equals(other)
        && other instanceof QuernChatResponseMetadata that
        && Objects.equals(generation, that.generation)
        && Objects.equals(cachedTokens, that.cachedTokens);
  }

  @Override
  public int hashCode() {
    return Objects.hash(super.hashCode(), generation, cachedTokens);
  }

  /// Copies and changes one.
  public static final class Builder extends ChatResponseMetadata.Builder<Builder> {
    private Generation generation;
    private Integer cachedTokens;

    private Builder() {}

    public Builder generation(Generation generation) {
      this.generation = generation;
      return this;
    }

    public Builder cachedTokens(Integer cachedTokens) {
      this.cachedTokens = cachedTokens;
      return this;
    }

    @Override
    public QuernChatResponseMetadata build() {
      return new QuernChatResponseMetadata(this);
    }
  }
}
