using System.Text.RegularExpressions;
using SamCompress.IR;
using SamCompress.Passes;
using SamCompress.Runtime.Inference;

namespace SamCompress.Cli.Tests.Repository;

public sealed partial class DocumentationTests
{
    /// <summary>Types that the documents name and that other projects own.</summary>
    private static readonly string[] ForeignWords = ["TensorPrimitives", "ArchitectureTests", "SkeletonModels"];

    public static TheoryData<string> Documents =>
    [
        .. RepositoryFiles.Below("docs", "*.md"), "README.md", "CONTRIBUTING.md", "calibration/README.md", "tests/models/README.md",
    ];

    [Theory]
    [MemberData(nameof(Documents))]
    public void Files_that_a_document_names_exist(string document)
    {
        IEnumerable<string> missing = QuotedPath().Matches(RepositoryFiles.Read(document))
            .Select(match => match.Groups[1].Value)
            .Where(path => !File.Exists(Path.Combine(RepositoryFiles.Root, path)) && !Directory.Exists(Path.Combine(RepositoryFiles.Root, path)));

        Assert.Empty(missing);
    }

    [Fact]
    public void Types_that_the_architecture_names_exist()
    {
        HashSet<string> types =
        [
            .. new[] { typeof(Model), typeof(Pass), typeof(OnnxSession), typeof(CommandLine) }
                .SelectMany(type => type.Assembly.GetTypes())
                .Select(type => type.Name),
            .. ForeignWords,
        ];
        IEnumerable<string> missing = QuotedType().Matches(RepositoryFiles.Read("docs/architecture.md"))
            .Select(match => match.Groups[1].Value)
            .Where(name => !types.Contains(name));

        Assert.Empty(missing);
    }

    [GeneratedRegex("`((?:docs|eng|src|tests|bench|models|calibration|recipes|targets)/[A-Za-z0-9_./-]+)`")]
    private static partial Regex QuotedPath();

    [GeneratedRegex("`([A-Z][a-z]+(?:[A-Z][a-z]+)+)[`.]")]
    private static partial Regex QuotedType();
}
