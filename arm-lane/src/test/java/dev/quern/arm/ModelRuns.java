package dev.quern.arm;

import dev.quern.KernelOptions;
import dev.quern.data.Workers;
import dev.quern.demo.DemoModelFile;
import dev.quern.llama.GenerationOptions;
import dev.quern.llama.LlamaModel;
import dev.quern.llama.LlamaSession;
import dev.quern.llama.LoadOptions;
import dev.quern.llama.checkpoint.Checkpoint;
import dev.quern.llama.quantize.ModelQuantizer;
import dev.quern.llama.quantize.QuantizeOptions;
import dev.quern.llama.quantize.QuantizePlan;
import dev.quern.testing.SharedFiles;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/// Whole models, run the same way on every CPU: what they say, and their logits after each token.
enum ModelRuns {
  /// Trained, 260 K parameters, ggml's Q4_0 and F16.
  STORIES_Q4_0("stories260K-Q4_0", 5e-3, true),

  /// The same in F32: nothing is rounded.
  STORIES_F32("stories260K", 1e-10, true),

  /// The demo model in int4 per block of 32, embedding and classifier in int8 per channel, as
  /// `quern quantize --scheme int4-block` makes it.
  DEMO_INT4("demo-INT4_B32", 5e-3, true),

  /// Random weights, Llama 3's rope, ggml's Q4_0; no vocabulary.
  TINY1_Q4_0("tiny1-Q4_0", 5e-3, true),

  /// The same in BF16. Not every CPU has instructions for it, and they need not round alike.
  TINY1_BF16("tiny1-BF16", 1e-3, false);

  private static final String TEXT = "Once upon a time there was a little girl named Lily. She";
  private static final int GENERATED = 16;
  private static final long SEED = 1;

  private final String id;
  private final double nmse;
  private final boolean sameBits;

  /// @param nmse of logits against exact arithmetic, at most; int8 activations cost what they cost
  ///   the vector provider
  /// @param sameBits whether every CPU gives the same
  ModelRuns(String id, double nmse, boolean sameBits) {
    this.id = id;
    this.nmse = nmse;
    this.sameBits = sameBits;
  }

  String id() {
    return id;
  }

  double nmse() {
    return nmse;
  }

  boolean sameBits() {
    return sameBits;
  }

  /// Without a vocabulary there is no text.
  boolean hasVocabulary() {
    return this != TINY1_Q4_0 && this != TINY1_BF16;
  }

  /// What one run gave.
  ///
  /// @param text what the model wrote; empty without a vocabulary
  /// @param logits `[token][vocabulary]`, after each token of a fixed text: of its first half in
  ///   one batch, of the others one by one
  record Run(String text, List<float[]> logits) {
    void write(Path folder, String id) throws IOException {
      Files.writeString(folder.resolve(id + ".txt"), text);
      try (DataOutputStream out =
          new DataOutputStream(
              new BufferedOutputStream(Files.newOutputStream(folder.resolve(id + ".logits"))))) {
        out.writeInt(logits.size());
        out.writeInt(logits.getFirst().length);
        for (float[] row : logits) {
          for (float v : row) {
            out.writeFloat(v);
          }
        }
      }
    }

    static Run read(Path folder, String id) throws IOException {
      List<float[]> logits = new ArrayList<>();
      try (DataInputStream in =
          new DataInputStream(
              new BufferedInputStream(Files.newInputStream(folder.resolve(id + ".logits"))))) {
        int rows = in.readInt();
        int columns = in.readInt();
        for (int r = 0; r < rows; r++) {
          float[] row = new float[columns];
          for (int c = 0; c < columns; c++) {
            row[c] = in.readFloat();
          }
          logits.add(row);
        }
      }
      return new Run(Files.readString(folder.resolve(id + ".txt")), logits);
    }
  }

  /// On KleidiAI, and on the scalar provider what it declines.
  ///
  /// @param folder for files that are needed on the way
  Run onKleidi(Path folder) throws IOException {
    return run(folder, "kleidi,scalar", "any");
  }

  /// In exact arithmetic on the weights as they are rounded, on any machine.
  Run exactly(Path folder) throws IOException {
    return run(folder, "scalar", "exact");
  }

  private Run run(Path folder, String providers, String numerics) throws IOException {
    KernelOptions kernels =
        KernelOptions.fromSystem().withProvider(providers).with("quern.numerics", numerics);
    LoadOptions options =
        LoadOptions.defaults().withKernels(kernels).withThreads(2).withContext(128);
    try (LlamaModel model = LlamaModel.load(file(folder), options);
        LlamaSession session = model.newSession()) {
      if (!providers.startsWith("scalar")) {
        System.out.println(id + ": " + model.report().summary());
      }
      int[] tokens =
          hasVocabulary()
              ? session.encodePrompt(TEXT)
              : new Random(SEED).ints(16, 0, model.config().vocabulary()).toArray();
      List<float[]> logits = new ArrayList<>();
      int half = tokens.length / 2;
      session.evaluate(Arrays.copyOf(tokens, half), logits::add);
      for (int i = half; i < tokens.length; i++) {
        session.evaluate(new int[] {tokens[i]}, logits::add);
      }
      StringBuilder text = new StringBuilder();
      if (hasVocabulary()) {
        session.rewind(0);
        session.generate("Once upon a time", GenerationOptions.greedy(GENERATED), text::append);
      }
      return new Run(text.toString(), logits);
    }
  }

  /// The model's file.
  Path file(Path folder) throws IOException {
    if (this != DEMO_INT4) {
      return SharedFiles.file("models/" + id + ".gguf");
    }
    Path demo = folder.resolve("demo.gguf");
    try (InputStream in = DemoModelFile.open()) {
      Files.copy(in, demo, StandardCopyOption.REPLACE_EXISTING);
    }
    Path file = folder.resolve(id + ".gguf");
    try (Checkpoint source = Checkpoint.open(demo)) {
      QuantizePlan plan = QuantizePlan.of(source, QuantizeOptions.of("int4-block", 32));
      new ModelQuantizer(source, Workers.sequential(), bytes -> {}).write(plan, file);
    }
    return file;
  }
}
