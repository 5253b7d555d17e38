package dev.quern.serve.ollama;

import dev.quern.llama.EngineRequest;
import dev.quern.llama.GenerationOptions;
import dev.quern.llama.chat.ChatRequest;
import dev.quern.llama.constrain.Constraint;
import dev.quern.llama.tokenizer.ChatMessage;
import dev.quern.serve.answer.Answers;
import dev.quern.serve.answer.ChatQuestion;
import dev.quern.serve.answer.Schemas;
import dev.quern.serve.answer.TextQuestion;
import dev.quern.serve.http.Endpoint;
import dev.quern.serve.http.Exchange;
import dev.quern.serve.http.HttpFailure;
import dev.quern.serve.http.JsonFields;
import dev.quern.serve.model.LoadedModel;
import dev.quern.serve.model.Models;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// `POST /api/generate`: the reply to a prompt, which is a user's message, or with `raw` a text
/// that goes on.
public final class Generate implements Endpoint {
  private final Models models;
  private final Formats formats;

  public Generate(Models models, Schemas schemas) {
    this.models = models;
    formats = new Formats(schemas);
  }

  @Override
  public void answer(Exchange exchange) throws Exception {
    JsonFields f = exchange.json();
    ModelUse use = ModelUse.read(f, models);
    boolean stream = f.flag("stream", true);
    boolean raw = f.flag("raw", false);
    String prompt = f.string("prompt").orElse("");
    Optional<String> system = f.string("system").filter(text -> !text.isEmpty());
    Optional<Constraint> format = formats.read(f);
    refuse(f);
    if (raw && system.isPresent()) {
      throw HttpFailure.invalid(
          f.path("system"), "system: a raw prompt has no messages, expected it in the prompt");
    }
    if (prompt.isEmpty()) {
      f.meansNothing("options", "think");
      f.end();
      use.loadOrUnload(exchange, false);
      return;
    }
    try (ModelUse.Open open = use.open(exchange)) {
      LoadedModel model = open.lease().model();
      GenerationOptions unheld = OptionFields.read(f, model.model());
      GenerationOptions options = format.map(unheld::withConstraint).orElse(unheld);
      if (raw) {
        f.only("think", "false", "a raw prompt has no template");
      }
      Map<String, Object> variables = raw ? Map.of() : Thinking.variables(f, model);
      f.end();
      Optional<Duration> left = models.timeLeft(exchange.age());
      Answers.Question question;
      if (raw) {
        EngineRequest request =
            EngineRequest.of(model.model().tokenizer().encodeBeginning(prompt, true), options)
                .withDeadline(left);
        question = new TextQuestion(model, request);
      } else {
        List<ChatMessage> messages = new ArrayList<>();
        system.ifPresent(text -> messages.add(ChatMessage.system(text)));
        messages.add(ChatMessage.user(prompt));
        ChatRequest request =
            ChatRequest.of(messages, options).withVariables(variables).withDeadline(left);
        question = new ChatQuestion(model.chat(), request, true);
      }
      new Reply(exchange, use.name(), false, open.loading()).answer(model, question, stream);
    }
  }

  private static void refuse(JsonFields f) {
    f.only("suffix", "\"\"", "text is not filled in");
    f.only("template", "\"\"", "the model's own template is used; with raw=true there is none");
    f.only("context", "[]", "nothing is kept between requests, expected messages in /api/chat");
    ChatMessages.refuseImages(f);
    Others.refuse(f);
    for (String name : List.of("width", "height", "steps")) {
      f.only(name, "0", "images are not done");
    }
  }
}
