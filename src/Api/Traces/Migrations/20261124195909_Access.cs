using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace SaferGuard.Api.Traces.Migrations
{
    /// <inheritdoc />
    public partial class Access : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            // What was judged before there were keys is everybody's who runs without them.
            migrationBuilder.AddColumn<string>(
                name: "caller",
                table: "judgments",
                type: "TEXT",
                nullable: false,
                defaultValue: "anonymous");

            migrationBuilder.AddColumn<string>(
                name: "tenant",
                table: "judgments",
                type: "TEXT",
                nullable: false,
                defaultValue: "default");

            migrationBuilder.CreateTable(
                name: "kept_replies",
                columns: table => new
                {
                    id = table.Column<string>(type: "TEXT", nullable: false),
                    caller = table.Column<string>(type: "TEXT", nullable: false),
                    key = table.Column<byte[]>(type: "BLOB", nullable: false),
                    request = table.Column<byte[]>(type: "BLOB", nullable: false),
                    status = table.Column<int>(type: "INTEGER", nullable: false),
                    content_type = table.Column<string>(type: "TEXT", nullable: true),
                    headers = table.Column<string>(type: "TEXT", nullable: false),
                    body = table.Column<byte[]>(type: "BLOB", nullable: false),
                    expires = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_kept_replies", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "keys",
                columns: table => new
                {
                    id = table.Column<string>(type: "TEXT", nullable: false),
                    hash = table.Column<byte[]>(type: "BLOB", nullable: false),
                    name = table.Column<string>(type: "TEXT", nullable: false),
                    tenant = table.Column<string>(type: "TEXT", nullable: false),
                    scopes = table.Column<string>(type: "TEXT", nullable: false),
                    policy = table.Column<string>(type: "TEXT", nullable: true),
                    requests_per_minute = table.Column<int>(type: "INTEGER", nullable: true),
                    tokens_per_minute = table.Column<int>(type: "INTEGER", nullable: true),
                    max_concurrent_requests = table.Column<int>(type: "INTEGER", nullable: true),
                    created = table.Column<long>(type: "INTEGER", nullable: false),
                    expires = table.Column<long>(type: "INTEGER", nullable: true),
                    revoked = table.Column<long>(type: "INTEGER", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_keys", x => x.id);
                });

            migrationBuilder.CreateIndex(
                name: "IX_judgments_tenant_id",
                table: "judgments",
                columns: new[] { "tenant", "id" });

            migrationBuilder.CreateIndex(
                name: "IX_kept_replies_caller_key",
                table: "kept_replies",
                columns: new[] { "caller", "key" });

            migrationBuilder.CreateIndex(
                name: "IX_kept_replies_expires",
                table: "kept_replies",
                column: "expires");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "kept_replies");

            migrationBuilder.DropTable(
                name: "keys");

            migrationBuilder.DropIndex(
                name: "IX_judgments_tenant_id",
                table: "judgments");

            migrationBuilder.DropColumn(
                name: "caller",
                table: "judgments");

            migrationBuilder.DropColumn(
                name: "tenant",
                table: "judgments");
        }
    }
}
