using SamCompress.IR;
using SamCompress.Passes.Quantization;
using SamCompress.Passes.Targets;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Targets;

public sealed class TargetDescriptionTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("samcompress-tests-");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public void Four_targets_are_built_in()
    {
        Assert.Equal(["openvino", "ort-cpu", "qdq", "tensorrt"], TargetDescription.BuiltIn);
        Assert.All(TargetDescription.BuiltIn, name => Assert.Equal(name, TargetDescription.Load(name).Name));
    }

    [Fact]
    public void Target_that_is_neither_built_in_nor_a_file_is_refused_with_those_there_are()
    {
        SamCompressException e = Assert.Throws<SamCompressException>(() => TargetDescription.Load("coreml"));
        Assert.Equal(("no target 'coreml'", "one of openvino, ort-cpu, qdq, tensorrt, or a .json file"), (e.Message, e.Hint));
    }

    [Theory]
    [InlineData("\"activationType\": \"uInt8\"", "\"activationType\": \"float\"", "activationType must be uInt8 or int8")]
    [InlineData("\"symmetricActivations\": false", "\"symmetricActivations\": true", "symmetricActivations needs activationType int8")]
    [InlineData("\"contributedOperators\": true", "\"contributedOperators\": false", "needs contributedOperators")]
    [InlineData("\"activationType\": \"uInt8\"", "\"activationType\": \"int8\"", "a convolution needs activationType uInt8")]
    [InlineData("\"blockSize\": 32", "\"blockSize\": 24", "power of two from 16 on")]
    [InlineData("\"weightHighest\": 127", "\"weightHighest\": 127, \"channelAlignment\": 0", "channelAlignment must be at least 1")]
    [InlineData("\"execution\": \"weightOnly\"", "\"execution\": \"integer\"", "convTranspose is float or weightOnly")]
    [InlineData("\"weightHighest\": 127", "\"weightHighest\": 127, \"color\": 1", "color")]
    public void Descriptions_that_contradict_themselves_are_refused(string text, string replacement, string message)
    {
        string path = Path.Combine(_directory.FullName, "own.json");
        string built = File.ReadAllText(Path.Combine(SkeletonModels.RepositoryRoot, "targets", "ort-cpu.json"));
        Assert.Contains(text, built, StringComparison.Ordinal);
        File.WriteAllText(path, built.Replace(text, replacement, StringComparison.Ordinal));
        SamCompressException e = Assert.Throws<SamCompressException>(() => TargetDescription.Load(path));
        Assert.Equal(FailureKind.Usage, e.Kind);
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Rule_of_a_layer_depends_on_its_channels_and_on_what_follows_it()
    {
        using Model model = ModelText.Parse("""
            g (float[1,4,8,8] X) => (float[1,6,8,8] Y)
            <float[4,1,1,1] D = {1, 2, 3, 4}, float[4,4,1,1] P = {1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3, 4, 5, 6, 7}, float[6,4,1,1] L = {1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3, 4, 5, 6, 7, 1, 2, 3, 4, 5, 6, 7, 8}>
            {
                A = Conv <group = 4> (X, D)
                B = Conv (A, P)
                Y = Conv (B, L)
            }
            """, opset: 17);
        IReadOnlyList<QuantizableLayer> layers = LayerFinder.Find(model.Graph);
        Assert.Equal([false, false, true], layers.Select(l => l.IsLast));

        TargetDescription cpu = TargetDescription.Load("ort-cpu");
        Assert.Equal([cpu.DepthwiseConv, cpu.Conv, cpu.Conv], layers.Select(cpu.Rule));
        TargetDescription qdq = TargetDescription.Load("qdq");
        Assert.Equal([qdq.DepthwiseConv, qdq.Conv, qdq.LastConv!], layers.Select(qdq.Rule));

        TargetDescription tensorRt = TargetDescription.Load("tensorrt");
        Assert.Equal(tensorRt.Conv, tensorRt.Rule(layers[1]));
        Assert.Equal((LayerExecution.Float, "4 and 6 channels: tensorrt wants multiples of 4"), (tensorRt.Rule(layers[2]).Execution, tensorRt.Rule(layers[2]).Why));
    }
}
