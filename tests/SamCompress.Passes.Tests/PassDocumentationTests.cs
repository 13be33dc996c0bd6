using System.Globalization;
using System.Text;
using System.Xml.Linq;
using SamCompress.Passes.Rewriting;
using SamCompress.Passes.Targets;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests;

/// <summary><c>docs/passes.md</c> is made from the comments on the passes and rules.</summary>
public sealed class PassDocumentationTests
{
    private static readonly IReadOnlyDictionary<string, XElement> Comments = XmlComments.Of(typeof(Pass).Assembly);

    [Fact]
    public void The_page_says_what_the_code_says()
    {
        string path = Path.Combine(SkeletonModels.RepositoryRoot, "docs", "passes.md");
        string received = Path.Combine(SkeletonModels.RepositoryRoot, "docs", "passes.received.md");
        string text = Generate();
        if (File.Exists(path) && File.ReadAllText(path).ReplaceLineEndings("\n") == text)
        {
            File.Delete(received);
            return;
        }

        File.WriteAllText(received, text, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false));
        Assert.Fail("docs/passes.md is stale: mv docs/passes.received.md docs/passes.md");
    }

    private static string Generate()
    {
        var page = new StringBuilder(
            """
            # Passes and rules

            Made from the comments in `src/SamCompress.Passes` by `PassDocumentationTests`; change it there.
            Exact means: the same bits in ONNX Runtime. The graph is checked after every pass.

            """.ReplaceLineEndings("\n"));
        var told = new HashSet<Type> { typeof(Rewriter) };
        DescribeStage(page, "Cleanup", StandardPipeline.Cleanup, told);
        var target = TargetDescription.Load(TargetDescription.Default);
        DescribeStage(page, $"Fusion for a target, here {target.Name}, behind cleanup", StandardPipeline.Fusion(target), told);
        DescribeStage(page, $"Attention and residuals for a target, here {target.Name}, last of all", StandardPipeline.FuseForTarget(target), told);
        Type[] others = [.. typeof(Pass).Assembly.GetTypes()
            .Where(t => !t.IsAbstract && (t.IsAssignableTo(typeof(Pass)) || t.IsAssignableTo(typeof(RewriteRule))) && !told.Contains(t))
            .OrderBy(t => t.FullName, StringComparer.Ordinal)];
        if (others.Length > 0)
            page.Append("\n## Applied by jobs and recipes\n");
        foreach (Type type in others)
            Describe(page, type);
        return page.ToString();
    }

    /// <summary>The passes in order, and what those do that no stage before has told of.</summary>
    private static void DescribeStage(StringBuilder page, string name, IReadOnlyList<Pass> passes, HashSet<Type> told)
    {
        page.Append(CultureInfo.InvariantCulture, $"\n## {name}, in this order\n\n");
        int number = 1;
        foreach (Pass pass in passes)
        {
            page.Append(CultureInfo.InvariantCulture, $"{number++}. `{pass.Name}`");
            if (pass is Rewriter rewriter && (rewriter.Rules.Count > 1 || rewriter.Rules[0].Name != pass.Name))
                page.Append(CultureInfo.InvariantCulture, $": the rules {string.Join(", ", rewriter.Rules.Select(r => $"`{r.Name}`"))}");
            page.Append('\n');
        }

        IEnumerable<Type> inOrder = passes.SelectMany(p => p is Rewriter rewriter ? rewriter.Rules.Select(r => r.GetType()) : [p.GetType()]);
        foreach (Type type in inOrder.Where(told.Add))
            Describe(page, type);
    }

    private static void Describe(StringBuilder page, Type type)
    {
        XElement comment = Comments[$"T:{type.FullName}"];
        page.Append(CultureInfo.InvariantCulture, $"\n### {Pass.NameOf(type)}\n\n");
        foreach (string part in (string[])["summary", "remarks"])
        {
            if (comment.Element(part) is { } element)
                page.Append(XmlComments.Text(element)).Append(part == "summary" && comment.Element("remarks") is not null ? "\n\n" : "\n");
        }
    }
}
