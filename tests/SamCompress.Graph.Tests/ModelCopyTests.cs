using SamCompress.Testing;

namespace SamCompress.IR.Tests;

public sealed class ModelCopyTests
{
    private static readonly string Nano = Path.Combine(SkeletonModels.RepositoryRoot, "models", "sam-nano", "decoder.onnx");

    [Fact]
    public void A_copy_has_the_same_bytes()
    {
        using Model model = OnnxReader.Read(Nano);
        using Model copy = ModelCopy.Of(model);

        Assert.Equal(OnnxWriter.Serialize(model), OnnxWriter.Serialize(copy));
    }

    [Fact]
    public void A_change_of_the_copy_leaves_the_original()
    {
        using Model model = OnnxReader.Read(Nano);
        byte[] before = OnnxWriter.Serialize(model);
        using Model copy = ModelCopy.Of(model);

        copy.Graph.SetInitializer(copy.Graph.Initializers[0], Tensor.Scalar(1));
        copy.Graph.RemoveOutput(0);

        Assert.Equal(before, OnnxWriter.Serialize(model));
    }
}
