package dev.quern.langchain4j;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtensionContext;

/// The model that LangChain4j's tests are run on: what `quern.langchain4j.model` names, or one that
/// knows nothing.
record KitModel(QuernModel model, Optional<Path> written) implements AutoCloseable {
  private static final String PROPERTY = "quern.langchain4j.model";

  static KitModel load() {
    String path = System.getProperty(PROPERTY, "");
    try {
      if (!path.isEmpty()) {
        return new KitModel(
            QuernModel.builder().modelPath(Path.of(path)).build(), Optional.empty());
      }
      Path file = ToolModel.write(Files.createTempDirectory("quern-langchain4j"));
      return new KitModel(QuernModel.builder().modelPath(file).build(), Optional.of(file));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    model.close();
    try {
      if (written.isPresent()) {
        Files.delete(written.get());
        Files.delete(written.get().getParent());
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// Leaves out tests that look for what a model says, where none is named that knows it.
  static final class Knowledge implements ExecutionCondition {
    private static final Set<String> NEEDED =
        Set.of(
            "should_respect_user_message",
            "should_respect_system_message",
            "should_respect_multiple_messages",
            "should_respect_stopSequences_in_chat_request",
            "should_respect_stopSequences_in_default_model_parameters",
            "should_execute_a_tool_then_answer",
            "should_execute_a_tool_without_arguments_then_answer",
            "should_execute_multiple_tools_in_parallel_then_answer",
            "should_execute_a_tool_then_answer_respecting_JSON_response_format_with_schema",
            "should_force_LLM_to_execute_any_tool",
            "should_force_LLM_to_execute_specific_tool",
            "should_respect_JSON_response_format",
            "should_respect_JSON_response_format_with_schema",
            "should_respect_JsonRawSchema_responseFormat",
            "should_propagate_user_exceptions_thrown_from_onPartialResponse",
            "should_propagate_user_exceptions_thrown_from_onCompleteResponse",
            "should_ignore_user_exceptions_thrown_from_onError");

    @Override
    public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
      if (!System.getProperty(PROPERTY, "").isEmpty()) {
        return ConditionEvaluationResult.enabled(PROPERTY + " is set");
      }
      if (context.getTestMethod().isEmpty()) {
        System.out.printf(
            Locale.ROOT,
            "[quern] %s: tests that look for what a model knows were left out. -D%s=F names one that does%n",
            context.getDisplayName(),
            PROPERTY);
        return ConditionEvaluationResult.enabled("of the class");
      }
      return NEEDED.contains(context.getRequiredTestMethod().getName())
          ? ConditionEvaluationResult.disabled("it looks for what a model knows")
          : ConditionEvaluationResult.enabled("its answer is not looked at");
    }
  }
}
