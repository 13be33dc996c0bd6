using SamCompress.IR;
using SamCompress.Passes;
using SamCompress.Passes.Rewriting;
using SamCompress.Passes.Targets;
using SamCompress.Runtime.Inference;
using SamCompress.Runtime.Prompts;

namespace SamCompress.Runtime.Training;

/// <summary>A mask decoder put behind an encoder, so that what a student learns can be judged by masks.</summary>
/// <param name="Probabilities">The name of the value with the probability of each element of each mask, [K,M,S,S], of low resolution.</param>
/// <param name="Points">The name of the input with the coordinates of the points, [K,N,2], in a square frame.</param>
/// <param name="Labels">The name of the input with their labels, [K,N].</param>
/// <param name="PromptCount">K, the number of prompts that are answered at once.</param>
/// <param name="PointCount">N.</param>
/// <param name="Frame">The side of the frame.</param>
public sealed record MaskHead(string Probabilities, string Points, string Labels, int PromptCount, int PointCount, int Frame)
{
    /// <summary>The label of a point that is none.</summary>
    public const float Padding = -1;

    /// <summary>Adds the inputs of one point in a random place of the frame to those of the encoder; the other points are padding.</summary>
    /// <remarks>For a head of one prompt.</remarks>
    public void AddPoint(IDictionary<string, RuntimeTensor> inputs, Random random)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        ArgumentNullException.ThrowIfNull(random);
        var points = new float[2 * PointCount];
        var labels = new float[PointCount];
        Array.Fill(labels, Padding);
        (points[0], points[1], labels[0]) = ((float)(random.NextDouble() * Frame), (float)(random.NextDouble() * Frame), 1);
        inputs[Points] = RuntimeTensor.Of(points, 1, PointCount, 2);
        inputs[Labels] = RuntimeTensor.Of(labels, 1, PointCount);
    }

    /// <summary>Puts a copy of a decoder behind the first output of an encoder.</summary>
    /// <param name="encoder">Gets the nodes of the decoder; its outputs stay what they are.</param>
    /// <param name="decoder">Fixed for one number of points: <see cref="Fix"/>. Must live as long.</param>
    /// <exception cref="SamCompressException">Unsupported: the two import different operators, or their embeddings differ.</exception>
    public static MaskHead Attach(Model encoder, Model decoder)
    {
        ArgumentNullException.ThrowIfNull(encoder);
        ArgumentNullException.ThrowIfNull(decoder);
        Value embedding = encoder.Graph.Outputs[0];
        Value[] inputs = [.. decoder.Graph.Inputs];
        if (!Equals(embedding.Shape, inputs[0].Shape))
            throw new SamCompressException(FailureKind.Unsupported, $"the decoder takes embeddings of {inputs[0].Shape}, and the encoder gives {embedding.Shape}", "give the decoder that belongs to the encoder");
        IReadOnlyDictionary<string, Value> values = ModelJoin.Append(encoder, decoder, new Dictionary<string, Value> { [inputs[0].Name] = embedding });
        Value probabilities = new GraphBuilder(encoder, "mask").Op("Sigmoid", [values[decoder.Graph.Outputs[0].Name]]);
        DecoderInterface known = DecoderInterface.Detect(inputs.Select(i => (i.Name, i.Shape)))!;
        return new MaskHead(probabilities.Name, values[inputs[1].Name].Name, values[inputs[2].Name].Name, (int)inputs[2].Shape![0].Value!, (int)inputs[2].Shape![1].Value!, known.Frame);
    }

    /// <summary>Turns a decoder into one that takes an embedding, points and labels, and gives mask logits of low resolution; nothing in it depends on other inputs or on free dimensions.</summary>
    /// <param name="points">How many points each prompt has, the padding counted.</param>
    /// <param name="prompts">How many prompts are asked for at once. Exporters write decoders for one, and most of these take several.</param>
    /// <exception cref="SamCompressException">Unsupported: the model is no mask decoder that we know, or gives no masks of low resolution, or not as many as there are prompts.</exception>
    public static void Fix(Model decoder, int points, int prompts = 1)
    {
        ArgumentNullException.ThrowIfNull(decoder);
        Graph graph = decoder.Graph;
        DecoderInterface known = DecoderInterface.Detect(graph.Inputs.Where(i => i.Initializer is null).Select(i => (i.Name, i.Shape)))
            ?? throw Refused(decoder, $"is no mask decoder: its inputs are {string.Join(", ", graph.Inputs.Take(8).Select(i => SafeText.Of(i.Name)))}");
        if (known.Kind == DecoderKind.Transformers)
            throw Refused(decoder, "takes positional embeddings beside the embedding, which is not supported here");
        string wanted = known.Kind == DecoderKind.Official ? DecoderInterface.LowResolutionMasksOutput : known.MasksOutput;
        Value masks = graph.Outputs.FirstOrDefault(o => o.Name == wanted) ?? throw Refused(decoder, $"has no output '{wanted}'");
        for (int i = graph.Outputs.Count - 1; i >= 0; i--)
        {
            if (graph.Outputs[i] != masks)
                graph.RemoveOutput(i);
        }

        for (int i = graph.Inputs.Count - 1; i >= 0; i--)
        {
            Value input = graph.Inputs[i];
            if (input.Name == known.PointsInput)
                input.Shape = Shape.Of(prompts, points, 2);
            else if (input.Name == known.LabelsInput)
                input.Shape = Shape.Of(prompts, points);
            else if (input.Name != DecoderInterface.ImageEmbeddings)
                SetToZero(graph, i);
        }

        masks.Shape = null;
        new PassPipeline([.. StandardPipeline.Cleanup, .. StandardPipeline.Fusion(TargetDescription.Load(TargetDescription.Default))])
            .Run(decoder, new PassContext { Evaluator = new OnnxConstantEvaluator() });
        if (prompts > 1 && !(masks.Shape is { Rank: 4 } shape && shape[0].Value == prompts))
            throw Refused(decoder, $"gives masks of {masks.Shape} for {prompts} prompts", "ask for one prompt at a time (--prompts 1).");
    }

    /// <summary>No mask is given: the mask, and whether there is one, are constants. The size of the original picture is not read by what is left.</summary>
    private static void SetToZero(Graph graph, int index)
    {
        Value input = graph.Inputs[index];
        long[] shape = input.Shape?.ToStatic() ?? [1];
        Value zero = graph.AddInitializer(graph.FreshName(input.Name + "_zero"), Tensor.Of(new float[shape.Aggregate(1L, (n, d) => n * d)], shape));
        input.ReplaceUsesWith(zero);
        graph.RemoveInput(index);
    }

    private static SamCompressException Refused(Model decoder, string why, string hint = "give the decoder that belongs to the encoder") =>
        new(FailureKind.Unsupported, $"the decoder {why}", hint) { Location = decoder.Path };
}
