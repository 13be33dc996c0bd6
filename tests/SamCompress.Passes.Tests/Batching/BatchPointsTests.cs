using System.Text.RegularExpressions;
using SamCompress.IR;
using SamCompress.Passes.Batching;
using SamCompress.Runtime.Inference;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Batching;

public sealed class BatchPointsTests
{
    private static readonly string[] Constants =
    [
        "float[2,4] w = {0.1, -0.2, 0.3, 0.4, 0.5, -0.6, 0.7, 0.8}", "float[1,2,4] learned = {1, 2, 3, 4, 5, 6, 7, 8}", "float[4] g = {1, 2, 1, 0.5}", "float[2,1,4] two = {1, 2, 3, 4, 5, 6, 7, 8}",
        "int64[4] heads = {1, 0, 2, 2}", "int64[3] joined = {1, -1, 4}", "int64[4] map = {1, 4, 2, 2}", "int64[4] onemap = {1, 1, 2, 2}", "int64[2] ones = {1, 1}", "int64[2] sides = {2, 1}",
        "float[4] wider = {1.5, 1, 2, 2}", "float[1,1] single = {2}", "int64[1] zero = {0}", "int64[1] one = {1}", "int64[1] minus = {-1}", "int64 first = {0}", "float zerof = {0}",
        "float[4,4] square = {0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6}",
    ];

    /// <summary>A decoder in small: tokens beside learned ones, attention over an image that does not depend on the prompts, a map that is resized to a size from an input.</summary>
    private const string Tiny = """
        p = MatMul (point_coords, w)
        l = Unsqueeze (point_labels, minus)
        s = Shape (p)
        e = Expand (l, s)
        q = Equal (e, zerof)
        m = Cast <to = 1> (q)
        t0 = Add (p, m)
        t = Concat <axis = 1> (learned, t0)
        i = Reshape (image_embeddings, joined)
        h = Reshape (t, heads)
        hq = Transpose <perm = [0, 2, 1, 3]> (h)
        ih = Reshape (i, heads)
        ik = Transpose <perm = [0, 2, 3, 1]> (ih)
        a = MatMul (hq, ik)
        c = Softmax <axis = -1> (a)
        iv = Transpose <perm = [0, 2, 1, 3]> (ih)
        v = MatMul (c, iv)
        vt = Transpose <perm = [0, 2, 1, 3]> (v)
        j = Reshape (vt, joined)
        n = LayerNormalization <axis = -1> (j, g)
        f = Gather <axis = 1> (n, first)
        iou_predictions = Gemm <transB = 1> (f, square)
        cut = Slice (n, zero, one, one)
        it = Transpose <perm = [0, 2, 1]> (i)
        low = MatMul (cut, it)
        low_res_masks = Reshape (low, onemap)
        size = Concat <axis = 0> (ones, orig_im_size)
        masks = Resize <mode = "linear"> (low_res_masks, , , size)
        """;

    private static readonly string Nano = Path.Combine(SkeletonModels.RepositoryRoot, "models", "sam-nano", "decoder.onnx");

    [Fact]
    public void Follows_the_prompts_through_a_decoder()
    {
        string text = Graph(
            Tiny,
            "float[1,4,4] image_embeddings, float[1,N,2] point_coords, float[1,N] point_labels, int64[2] orig_im_size",
            "float[1,1,2,2] low_res_masks, float[1,4] iou_predictions, float[1,1,H,W] masks");
        Snapshot.Match(PassCheck.Apply(text, new BatchPoints(), inputs: new Dictionary<string, Array> { ["orig_im_size"] = (long[])[5, 3] }));
    }

    /// <summary>What a batch gives for each prompt is what the decoder gives for it alone: all outputs, also the masks of the picture's size.</summary>
    [Fact]
    public void Gives_each_prompt_what_it_gets_alone()
    {
        using Model model = OnnxReader.Read(Nano);
        CompareWithSinglePrompts(model, embedding: [1, 128, 16, 16], mask: 64, prompts: 5);
    }

    /// <summary>What quantization makes of a Linear: integers with one scale for all prompts, and none that is found in the data of a run.</summary>
    [Theory]
    [InlineData("float scale = {0.5}", true)]
    [InlineData("float[4] scale = {0.5, 1, 2, 3}", false)]
    public void Takes_quantized_layers_with_one_scale(string scale, bool isChanged)
    {
        string text = $$"""
            g (float[1,4,2] point_coords, float[1,4] point_labels) => (float[1,4,2] x)
            <{{scale}}, float one = {0.5}, uint8 zero = {128}, int8[2,2] w = {1, 2, 3, 4}, float[2] ws = {0.1, 0.2}, int8[2] wz = {0, 0}, int64[1] minus = {-1}> {
              l = Unsqueeze (point_labels, minus)  u = Add (point_coords, l)
              q = QuantizeLinear (u, one, zero)
              x = com.microsoft.MatMulIntegerToFloat (q, w, scale, ws, zero, wz)
            }
            """;
        if (isChanged)
            Assert.Contains("float[num_prompts,4,2] x", PassCheck.Apply(text, new BatchPoints()), StringComparison.Ordinal);
        else
            Assert.EndsWith("its rows have scales of their own", Assert.Single(PassCheck.LeavesAlone(text, new BatchPoints()).Diagnostics).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Works_on_the_official_export()
    {
        using Model model = SkeletonModels.Open("sam_decoder");
        CompareWithSinglePrompts(model, embedding: [1, 256, 64, 64], mask: 256, prompts: 2);
    }

    [Theory]
    [InlineData("x = Softmax <axis = 0> (u)", "it works along the first axis, or along unknown ones")]
    [InlineData("x = LayerNormalization <axis = -3> (u, g)", "it works along the first axis, or along unknown ones")]
    [InlineData("x = ReduceMean <keepdims = 1> (u)", "it works along the first axis, or along unknown ones")]
    [InlineData("x = Slice (u, zero, one, zero)", "it works along the first axis, or along unknown ones")]
    [InlineData("x = Unsqueeze (u, zero)", "it works along the first axis, or along unknown ones")]
    [InlineData("c = Gather <axis = 1> (u, zero)  x = Squeeze (c)", "the first axis of its output is not known to be 1")]
    [InlineData("c = Gather <axis = 1> (u, zero)  x = Squeeze (c, zero)", "it works along the first axis, or along unknown ones")]
    [InlineData("c = Gather <axis = 1> (u, zero)  x = Transpose <perm = [1, 0, 2]> (c)", "it moves the first axis")]
    [InlineData("x = Concat <axis = 0> (u, u)", "the first axis of its output is not known to be 1")]
    [InlineData("x = Concat <axis = 1> (u, rows)", "the first axis of operand 'rows' is not 1")]
    [InlineData("x = Add (u, two)", "the first axis of its output is not known to be 1")]
    [InlineData("c = Gather <axis = 1> (u, first)  x = MatMul (single, c)", "an operand beside its data depends on the prompts")]
    [InlineData("c = Gather <axis = 1> (u, first)  d = Unsqueeze (c, one)  x = Add (c, d)", "the axes of operand 'c' do not fit")]
    [InlineData("c = Gather <axis = 1> (u, first)  x = Gemm (c, square, pair4)", "it transposes, or adds a matrix")]
    [InlineData("x = CumSum (u, first)", "CumSum is not known to treat prompts one by one")]
    [InlineData("x = Reshape (u, shape)", "the first axis of its output is not known to be 1")]
    [InlineData("x = Reshape <allowzero = 1> (u, map)", "zeros of its target are sizes")]
    [InlineData("i = Cast <to = 7> (point_labels)  x = Gather <axis = 1> (u, i)", "an operand beside its data depends on the prompts")]
    [InlineData("x = Shape <start = 1> (u)", "it takes a part of a shape")]
    [InlineData("s = Shape (u)  x = Identity (s)", "it computes with a shape")]
    [InlineData("r = Reshape (u, map)  x = Resize <axes = [2, 3]> (r, , , sides)", "it names the axes that it resizes, or crops")]
    [InlineData("r = Reshape (u, map)  x = Resize (r, , wider)", "it scales the first axis, or by computed factors")]
    [InlineData("x = Identity (image_embeddings)", "this output would not have one row for each prompt")]
    public void Leaves_a_decoder_alone_that_mixes_prompts(string nodes, string reason)
    {
        PassContext context = PassCheck.LeavesAlone(
            Graph(
                $"t = MatMul (point_coords, w)  l = Unsqueeze (point_labels, minus)  u = Add (t, l)  {nodes}",
                "float[1,4,4] image_embeddings, float[1,4,2] point_coords, float[1,4] point_labels, int64[3] shape, float[?,4,4] rows, float[1,4] pair4",
                "x"),
            new BatchPoints());
        Diagnostic diagnostic = Assert.Single(context.Diagnostics);
        Assert.Equal((BatchPoints.Refused, $"prompts are decoded one by one: {reason}"), (diagnostic.Id, diagnostic.Message));
    }

    /// <summary>No decoder, one that takes batches already, and one of another interface: nothing to say.</summary>
    [Theory]
    [InlineData("float[1,4,2] points, float[1,4] point_labels", "t = MatMul (points, w)")]
    [InlineData("float[B,4,2] point_coords, float[B,4] point_labels", "t = MatMul (point_coords, w)")]
    [InlineData("float[2,4,2] point_coords, float[2,4] point_labels", "t = MatMul (point_coords, w)")]
    public void Has_nothing_to_do_elsewhere(string inputs, string nodes) =>
        Assert.Empty(PassCheck.LeavesAlone($"g ({inputs}) => (float[?,4,4] t) <float[2,4] w = {{1, 2, 3, 4, 5, 6, 7, 8}}> {{ {nodes} }}", new BatchPoints()).Diagnostics);

    /// <summary>With the constants that it reads.</summary>
    private static string Graph(string nodes, string inputs, string outputs) =>
        $"g ({inputs}) => ({outputs}) <{string.Join(", ", Constants.Where(c => Regex.IsMatch(nodes, $@"[(,]\s*{c.Split(' ')[1]}\s*[,)]")))}> {{ {nodes} }}";

    /// <summary>Embedding, points and labels are seeded noise; every second prompt has a box.</summary>
    private static void CompareWithSinglePrompts(Model model, long[] embedding, int mask, int prompts)
    {
        var random = new Random(7);
        float[] image = Noise(embedding.Aggregate(1L, (n, d) => n * d), 2, -1), points = Noise(prompts * 4, mask * 4, 0);
        float[] labels = [.. Enumerable.Range(0, prompts).SelectMany(i => i % 2 == 0 ? (float[])[1, -1] : [2, 3])];
        var alone = new List<Dictionary<string, float[]>>();
        using (OnnxSession single = OnnxSession.Open(model))
        {
            for (int i = 0; i < prompts; i++)
                alone.Add(Run(single, points[(i * 4)..((i + 1) * 4)], labels[(i * 2)..((i + 1) * 2)]));
        }

        new PassPipeline([.. StandardPipeline.Cleanup, .. StandardPipeline.BatchDecoder]).Run(model, PassCheck.Context());
        Assert.All(model.Graph.Outputs, o => Assert.Equal(BatchPoints.Prompts, o.Shape![0].Parameter));
        using OnnxSession batched = OnnxSession.Open(model);
        foreach ((string name, float[] together) in Run(batched, points, labels))
        {
            float[] expected = [.. alone.SelectMany(a => a[name])];
            double largest = expected.Max(Math.Abs);
            Assert.Equal(expected.Length, together.Length);
            Assert.True(expected.Zip(together).Max(p => Math.Abs(p.First - p.Second)) <= 1e-5 * largest, name);
        }

        float[] Noise(long count, double range, double from) => [.. Enumerable.Range(0, (int)count).Select(_ => (float)((random.NextDouble() * range) + from))];

        Dictionary<string, float[]> Run(OnnxSession session, float[] coordinates, float[] kinds)
        {
            long count = kinds.Length / 2;
            using var inputs = new Tensors(new Dictionary<string, RuntimeTensor>
            {
                ["image_embeddings"] = RuntimeTensor.Of(image, embedding),
                ["point_coords"] = RuntimeTensor.Of(coordinates, count, 2, 2),
                ["point_labels"] = RuntimeTensor.Of(kinds, count, 2),
                ["mask_input"] = RuntimeTensor.Of(new float[mask * mask], 1, 1, mask, mask),
                ["has_mask_input"] = RuntimeTensor.Of([0f], 1),
                ["orig_im_size"] = RuntimeTensor.Of([30f, 40f], 2),
            });
            using RuntimeTensors results = session.Run(inputs.All);
            return results.ToDictionary(r => r.Key, r => r.Value.ToArray<float>());
        }
    }

    private sealed record Tensors(Dictionary<string, RuntimeTensor> All) : IDisposable
    {
        public void Dispose()
        {
            foreach (RuntimeTensor tensor in All.Values)
                tensor.Dispose();
        }
    }
}
