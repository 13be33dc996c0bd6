using SamCompress.IR;
using SamCompress.Runtime.Inference;
using SamCompress.Testing;

namespace SamCompress.Runtime.Tests.Inference;

public sealed class OnnxSessionTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("samcompress-tests-");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public void Runs_a_model_in_memory()
    {
        using Model model = AddWeights(4);
        using OnnxSession session = OnnxSession.Open(model);
        Assert.Equal([5f, 7f, 9f, 11f], Run(session, [5, 6, 7, 8]));
    }

    [Fact]
    public void Hands_big_initializers_over_in_memory()
    {
        const int count = 100_000;
        using Model model = AddWeights(count);
        Assert.True(model.Graph.Initializers[0].Initializer!.ByteLength > 1024);
        using OnnxSession session = OnnxSession.Open(model);
        float[] sum = Run(session, new float[count]);
        GC.Collect();
        Assert.Equal([.. Enumerable.Range(0, count).Select(i => (float)i)], sum);
        Assert.Equal(sum, Run(session, new float[count]));
    }

    [Fact]
    public void Opens_a_model_with_a_big_initializer_that_nothing_reads()
    {
        using Model model = AddWeights(4);
        model.Graph.AddInitializer("unused", Tensor.Of(new float[5000], 5000));
        using OnnxSession session = OnnxSession.Open(model);
        Assert.Equal([5f, 7f, 9f, 11f], Run(session, [5, 6, 7, 8]));
    }

    [Fact]
    public void Hands_computed_initializers_over()
    {
        using Model model = AddWeights(1000);
        Value weight = model.Graph.Initializers[0];
        model.Graph.SetInitializer(weight, Tensor.Lazy(ElementType.Float, [1000], bytes =>
        {
            for (int i = 0; i < 1000; i++)
                BitConverter.TryWriteBytes(bytes[(4 * i)..], 2f * i);
        }));
        using OnnxSession session = OnnxSession.Open(model);
        Assert.Equal(1998f, Run(session, new float[1000])[999]);
    }

    [Fact]
    public void Gives_the_same_from_a_file_with_external_data_as_from_memory()
    {
        string path = Path.Combine(_directory.FullName, "m.onnx");
        using (Model model = AddWeights(5000))
            OnnxWriter.Save(model, path, new SaveOptions { ExternalData = ExternalDataMode.Always });
        float[] input = [.. Enumerable.Range(0, 5000).Select(i => i / 7f)];
        using OnnxSession fromFile = OnnxSession.Open(path);
        using Model read = OnnxReader.Read(path);
        using OnnxSession fromMemory = OnnxSession.Open(read);
        Assert.Equal(Run(fromFile, input), Run(fromMemory, input));
    }

    [Fact]
    public void Describes_inputs_and_outputs()
    {
        using Model model = AddWeights(3);
        model.Graph.Inputs[0].Shape = new Shape(Dimension.Of("N"));
        using OnnxSession session = OnnxSession.Open(model);
        Assert.Equal(new SessionValue("x", ElementType.Float, new Shape(Dimension.Of("N"))), Assert.Single(session.Inputs));
        Assert.Equal("y", Assert.Single(session.Outputs).Name);
    }

    [Fact]
    public void Fails_in_one_line_when_a_shape_does_not_fit()
    {
        using Model model = AddWeights(3);
        using OnnxSession session = OnnxSession.Open(model);
        var e = Assert.Throws<SamCompressException>(() => Run(session, [1, 2]));
        Assert.Equal(FailureKind.Runtime, e.Kind);
        Assert.DoesNotContain('\n', e.Message);
        Assert.DoesNotContain("ErrorCode", e.Message, StringComparison.Ordinal);
        Assert.Contains("Expected: 3", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Fails_naming_the_file_when_it_is_no_model()
    {
        string path = Path.Combine(_directory.FullName, "text.onnx");
        File.WriteAllText(path, "hello");
        var e = Assert.Throws<SamCompressException>(() => OnnxSession.Open(path));
        Assert.Equal(FailureKind.Runtime, e.Kind);
        Assert.StartsWith(path + ": ONNX Runtime cannot open the model", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Rejects_a_missing_file()
    {
        var e = Assert.Throws<SamCompressException>(() => OnnxSession.Open("nowhere.onnx"));
        Assert.Equal(FailureKind.InputRejected, e.Kind);
    }

    [Fact]
    public void Names_an_unknown_operator()
    {
        using var model = new Model(8, [new OpsetImport("", 17)]);
        Value x = model.Graph.AddInput("x", ElementType.Float, Shape.Of(1));
        Output(model, model.Graph.Append("Frobnicate", [x], ["y"]).Output, 1);
        var e = Assert.Throws<SamCompressException>(() => OnnxSession.Open(model));
        Assert.Contains("Frobnicate", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Refuses_unknown_and_missing_names()
    {
        using Model model = AddWeights(1);
        using OnnxSession session = OnnxSession.Open(model);
        using RuntimeTensor one = RuntimeTensor.Of([1f], 1);
        Assert.Throws<ArgumentException>(() => session.Run(new Dictionary<string, RuntimeTensor> { ["z"] = one }));
        Assert.Throws<ArgumentException>(() => session.Run(new Dictionary<string, RuntimeTensor>()));
        Assert.Throws<ArgumentException>(() => session.Run(new Dictionary<string, RuntimeTensor> { ["x"] = one }, ["z"]));
    }

    [Fact]
    public void Stops_when_cancelled()
    {
        using Model model = AddWeights(1);
        using OnnxSession session = OnnxSession.Open(model);
        using RuntimeTensor one = RuntimeTensor.Of([1f], 1);
        Assert.ThrowsAny<OperationCanceledException>(() =>
            session.Run(new Dictionary<string, RuntimeTensor> { ["x"] = one }, null, new CancellationToken(canceled: true)));
    }

    [Fact]
    public void Says_plainly_that_cuda_is_not_there()
    {
        using Model model = AddWeights(1);
        if (OnnxSession.AvailableProviders.Contains("CUDAExecutionProvider"))
            return;
        var e = Assert.Throws<SamCompressException>(() => OnnxSession.Open(model, new SessionSettings { Device = ExecutionDevice.Cuda }));
        Assert.Equal(FailureKind.Unsupported, e.Kind);
        Assert.Contains("CUDA", e.Message, StringComparison.Ordinal);
        Assert.NotNull(e.Hint);
    }

    [Theory]
    [InlineData("1.28.1")]
    [InlineData("0.9")]
    [InlineData("nonsense")]
    public void Names_the_version_found_and_the_one_wanted(string found)
    {
        var e = Assert.Throws<SamCompressException>(() => OnnxRuntimeLibrary.CheckVersion(found));
        Assert.Equal(FailureKind.Runtime, e.Kind);
        Assert.Contains(found, e.Message, StringComparison.Ordinal);
        Assert.Contains("1.29", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("1.29.0")]
    [InlineData("1.31.1")]
    [InlineData("1.30.0-dev+abc")]
    public void Accepts_the_wanted_version_and_later(string found) => OnnxRuntimeLibrary.CheckVersion(found);

    [Fact]
    public void Takes_code_and_source_position_out_of_a_message() => Assert.Equal(
        "Non-zero status code. Name:'a' broken",
        OnnxRuntimeLibrary.Clean("[ErrorCode:Fail] Non-zero status code. Name:'a'\n\t/onnxruntime_src/onnxruntime/core/x.cc:12 broken\r\n"));

    [Fact]
    public void Carries_empty_tensors()
    {
        using RuntimeTensor empty = RuntimeTensor.Of(Array.Empty<float>(), 0, 2);
        Assert.Equal(0, empty.Count);
        Assert.Empty(empty.ToArray<float>());
        Assert.Equal([0L, 2L], empty.ToTensor().Dimensions.ToArray());
    }

    [Fact]
    public void Refuses_a_wrong_count_and_a_wrong_view()
    {
        Assert.Throws<ArgumentException>(() => RuntimeTensor.Of([1f, 2f], 3));
        using RuntimeTensor floats = RuntimeTensor.Of([1f, 2f], 2);
        Assert.Throws<ArgumentException>(() => floats.ToArray<byte>());
    }

    /// <summary>y = x + w with w = 0, 1, 2, ...</summary>
    private static Model AddWeights(int count)
    {
        var model = new Model(8, [new OpsetImport("", 17)]);
        Value x = model.Graph.AddInput("x", ElementType.Float, Shape.Of(count));
        Value w = model.Graph.AddInitializer("w", Tensor.Of([.. Enumerable.Range(0, count).Select(i => (float)i)], count));
        Output(model, model.Graph.Append("Add", [x, w], ["y"]).Output, count);
        return model;
    }

    private static void Output(Model model, Value value, int count)
    {
        value.ElementType = ElementType.Float;
        value.Shape = Shape.Of(count);
        model.Graph.AddOutput(value);
    }

    private static float[] Run(OnnxSession session, float[] input)
    {
        using RuntimeTensor x = RuntimeTensor.Of(input, input.Length);
        using RuntimeTensors results = session.Run(new Dictionary<string, RuntimeTensor> { ["x"] = x });
        return results["y"].ToArray<float>();
    }

    [Fact]
    [Trait("Category", "Long")]
    public void A_file_over_2_GiB_with_inline_data_is_opened_by_its_path()
    {
        using OnnxSession session = OnnxSession.Open(SkeletonModels.FilledPath("sam_h_encoder", ExternalDataMode.Never));

        Assert.Equal([1, 256, 64, 64], session.Outputs[0].Shape!.ToStatic()!);
    }
}
