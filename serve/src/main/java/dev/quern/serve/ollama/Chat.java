package dev.quern.serve.ollama;

import dev.quern.llama.GenerationOptions;
import dev.quern.llama.chat.ChatRequest;
import dev.quern.llama.chat.Tool;
import dev.quern.llama.constrain.Constraint;
import dev.quern.llama.tokenizer.ChatMessage;
import dev.quern.serve.answer.ChatQuestion;
import dev.quern.serve.answer.Schemas;
import dev.quern.serve.answer.ToolFields;
import dev.quern.serve.http.Endpoint;
import dev.quern.serve.http.Exchange;
import dev.quern.serve.http.JsonFields;
import dev.quern.serve.model.LoadedModel;
import dev.quern.serve.model.Models;
import java.util.List;
import java.util.Optional;

/// `POST /api/chat`.
public final class Chat implements Endpoint {
  private final Models models;
  private final Formats formats;

  public Chat(Models models, Schemas schemas) {
    this.models = models;
    formats = new Formats(schemas);
  }

  @Override
  public void answer(Exchange exchange) throws Exception {
    JsonFields f = exchange.json();
    ModelUse use = ModelUse.read(f, models);
    boolean stream = f.flag("stream", true);
    List<ChatMessage> messages = ChatMessages.read(f);
    List<Tool> tools = ToolFields.tools(f);
    Optional<Constraint> format = formats.read(f);
    Others.refuse(f);
    if (messages.isEmpty()) {
      f.meansNothing("options", "think");
      f.end();
      use.loadOrUnload(exchange, true);
      return;
    }
    try (ModelUse.Open open = use.open(exchange)) {
      LoadedModel model = open.lease().model();
      GenerationOptions options = OptionFields.read(f, model.model());
      ChatRequest request =
          ChatRequest.of(messages, format.map(options::withConstraint).orElse(options))
              .withTools(tools)
              .withVariables(Thinking.variables(f, model))
              .withDeadline(models.timeLeft(exchange.age()));
      f.end();
      new Reply(exchange, use.name(), true, open.loading())
          .answer(model, new ChatQuestion(model.chat(), request, true), stream);
    }
  }
}
