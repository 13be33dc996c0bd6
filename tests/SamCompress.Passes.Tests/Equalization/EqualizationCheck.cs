using SamCompress.IR;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests;

/// <summary>Models as they are when they are equalized.</summary>
internal static class EqualizationCheck
{
    /// <summary>A skeleton, or with a slash in its name a model of <c>models</c>, cleaned up.</summary>
    public static Model Prepared(string name)
    {
        Model model = name.Contains('/', StringComparison.Ordinal)
            ? OnnxReader.Read(Path.Combine(SkeletonModels.RepositoryRoot, "models", name + ".onnx"))
            : SkeletonModels.Open(name);
        new PassPipeline([.. StandardPipeline.Cleanup, .. StandardPipeline.PrepareQuantization]).Run(model, PassCheck.Context());
        return model;
    }
}
