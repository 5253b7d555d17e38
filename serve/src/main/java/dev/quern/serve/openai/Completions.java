package dev.quern.serve.openai;

import com.fasterxml.jackson.databind.node.NullNode;
import dev.quern.llama.EngineRequest;
import dev.quern.llama.Piece;
import dev.quern.llama.sampling.LogProbabilities;
import dev.quern.llama.tokenizer.Tokenizer;
import dev.quern.serve.answer.Answers;
import dev.quern.serve.answer.Ids;
import dev.quern.serve.answer.Schemas;
import dev.quern.serve.answer.StreamErrors;
import dev.quern.serve.answer.TextQuestion;
import dev.quern.serve.http.Endpoint;
import dev.quern.serve.http.EventStream;
import dev.quern.serve.http.Exchange;
import dev.quern.serve.http.JsonFields;
import dev.quern.serve.model.LoadedModel;
import dev.quern.serve.model.Models;
import java.util.ArrayList;
import java.util.List;

/// `POST /v1/completions`.
public final class Completions implements Endpoint {
  private static final int MAX_TOKENS = 16; // OpenAI's default
  private static final int MOST_PROMPTS = 128;

  private final Models models;
  private final ResponseFormats formats;

  public Completions(Models models, Schemas schemas) {
    this.models = models;
    formats = new ResponseFormats(schemas);
  }

  @Override
  public void answer(Exchange exchange) throws Exception {
    JsonFields f = exchange.json();
    try (Models.Lease lease = models.lease(exchange, f.string("model"))) {
      LoadedModel model = lease.model();
      GenerationFields fields =
          GenerationFields.read(f, model.model(), MAX_TOKENS)
              .with(formats.read(f), LogProbs.readText(f));
      f.only("echo", "false", "the prompt is not repeated");
      f.only("best_of", "1", "all that is generated is answered");
      f.only("suffix", "\"\"", "text is not filled in");
      Tokenizer tokenizer = model.model().tokenizer();
      List<int[]> prompts =
          TextInputs.read(
              f,
              "prompt",
              MOST_PROMPTS,
              tokenizer.vocabularySize(),
              text -> tokenizer.encodeBeginning(text, false));
      f.end();
      List<Answers.Question> questions = new ArrayList<>();
      for (int[] prompt : prompts) {
        for (int i = 0; i < fields.n(); i++) {
          EngineRequest request =
              EngineRequest.of(prompt, fields.options(i))
                  .withDeadline(models.timeLeft(exchange.age()));
          questions.add(new TextQuestion(model, request));
        }
      }
      Answers.report(exchange, model);
      Reply reply = new Reply(exchange, model, fields, questions);
      if (fields.stream()) {
        reply.stream();
      } else {
        reply.whole();
      }
    }
  }

  /// What is said to one request.
  private static final class Reply {
    private final Exchange exchange;
    private final LoadedModel model;
    private final GenerationFields fields;
    private final List<Answers.Question> questions;
    private final String id = Ids.next("cmpl-");
    private final long created = System.currentTimeMillis() / 1000;

    Reply(
        Exchange exchange,
        LoadedModel model,
        GenerationFields fields,
        List<Answers.Question> questions) {
      this.exchange = exchange;
      this.model = model;
      this.fields = fields;
      this.questions = questions;
    }

    void whole() throws Exception {
      List<StringBuilder> texts = questions.stream().map(_ -> new StringBuilder()).toList();
      Answers answers =
          Answers.ask(exchange, questions, i -> piece -> texts.get(i).append(piece.text()));
      List<Wire.TextChoice> choices = new ArrayList<>();
      List<Answers.Ended> all = new ArrayList<>();
      for (int i = 0; i < answers.count(); i++) {
        Answers.Ended ended = answers.await(i);
        all.add(ended);
        choices.add(
            new Wire.TextChoice(
                texts.get(i).toString(),
                i,
                logProbs(ended.generation().logProbabilities(), 0),
                answers.finishReason(ended)));
      }
      exchange.send(200, text(choices, Wire.Usage.of(all, fields.n())));
    }

    void stream() throws Exception {
      EventStream events = exchange.events();
      Answers answers = Answers.ask(exchange, questions, i -> new Parts(i, events)::send);
      StreamErrors.telling(
          exchange,
          events::fail,
          () -> {
            List<Answers.Ended> all = new ArrayList<>();
            for (int i = 0; i < answers.count(); i++) {
              all.add(answers.await(i));
              events.send(chunk(i, "", null, answers.finishReason(all.getLast())));
            }
            if (fields.includeUsage()) {
              events.send(text(List.of(), Wire.Usage.of(all, fields.n())));
            }
          });
      events.done();
    }

    /// The parts of one text, and how much came before.
    private final class Parts {
      private final int index;
      private final EventStream events;
      private int offset; // characters of tokens

      Parts(int index, EventStream events) {
        this.index = index;
        this.events = events;
      }

      void send(Piece piece) {
        Wire.TextLogProbs logProbs = logProbs(piece.logProbabilities(), offset);
        if (logProbs != null) {
          offset += logProbs.tokens().stream().mapToInt(String::length).sum();
        }
        if (!piece.text().isEmpty() || logProbs != null) {
          events.send(chunk(index, piece.text(), logProbs, null));
        }
      }
    }

    private Wire.TextLogProbs logProbs(List<LogProbabilities> all, int offset) {
      return fields.options().logProbabilities().isEmpty()
          ? null
          : LogProbs.text(model.model().tokenizer(), all, offset);
    }

    private Wire.Text chunk(int index, String piece, Wire.TextLogProbs logProbs, String reason) {
      return text(
          List.of(new Wire.TextChoice(piece, index, logProbs, reason)),
          fields.includeUsage() ? NullNode.getInstance() : null);
    }

    private Wire.Text text(List<Wire.TextChoice> choices, Object usage) {
      return new Wire.Text(id, "text_completion", created, model.name(), choices, usage);
    }
  }
}
