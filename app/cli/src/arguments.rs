//! The command line. Names are fixed: runbooks and other rooms call them.

use std::net::SocketAddr;
use std::path::PathBuf;

use backup::records::Job;
use clap::{Args, Parser, Subcommand, ValueEnum};

/// 和光市 地域包括支援システム
#[derive(Debug, Parser)]
#[command(name = "hokatsu", version, disable_help_subcommand = true)]
pub(crate) struct Arguments {
    /// 結果を1つのJSONで標準出力に書く
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// エラーだけを表示する
    #[arg(long, global = true)]
    pub(crate) quiet: bool,
    /// 設定ファイル
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) site: Option<PathBuf>,
    /// データディレクトリ
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// 操作する人の氏名（アクセスログに残る。省くと HOKATSU_OPERATOR、端末では聞く）
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) operator: Option<String>,
    /// 操作の理由（アクセスログに残る。省くと HOKATSU_REASON、端末では聞く）
    #[arg(long, global = true, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// 架空の町で動かしてみる
    Demo(DemoArguments),
    /// サービスを動かす
    Serve,
    /// 空のデータディレクトリを作る
    Init(InitArguments),
    /// 市からのデータを取り込む
    Import {
        #[command(subcommand)]
        what: ImportVerb,
    },
    /// アクセスログを確かめる
    Audit {
        #[command(subcommand)]
        what: AuditVerb,
    },
    /// 添付ファイル
    Attachments {
        #[command(subcommand)]
        what: AttachmentsVerb,
    },
    /// 事故の証拠
    Incident {
        #[command(subcommand)]
        what: IncidentVerb,
    },
    /// バックアップ
    Backup {
        #[command(subcommand)]
        what: BackupVerb,
    },
    /// 記録を1件ずつ、すぐに別のディスクへ複製する（逐次複製）
    Ship {
        #[command(subcommand)]
        what: ShipVerb,
    },
    /// バックアップから戻す
    Restore(Box<RestoreArguments>),
    /// 以前の状態（画面の「以前の状態」が使う）
    Timemachine {
        #[command(subcommand)]
        what: TimemachineVerb,
    },
    /// 職員のアカウント
    Users {
        #[command(subcommand)]
        what: UsersVerb,
    },
    /// 確認コードの鍵
    FactorKeys {
        #[command(subcommand)]
        what: FactorKeysVerb,
    },
    /// サーバと認証局の証明書
    Certificates {
        #[command(subcommand)]
        what: CertificatesVerb,
    },
    /// 持出し台帳
    CarriedOut {
        #[command(subcommand)]
        what: CarriedOutVerb,
    },
    /// 設定ファイル（site.toml）
    Site {
        #[command(subcommand)]
        what: SiteVerb,
    },
    /// 無停電電源装置（UPS）
    Ups {
        #[command(subcommand)]
        what: UpsVerb,
    },
    /// ウイルス対策: 検査の状態と、ウイルス定義の更新
    Antivirus {
        #[command(subcommand)]
        what: AntivirusVerb,
    },
    /// 装置の画面とキーボードで行う操作のメニュー（装置が自分で出す）
    Console,
    /// 装置の版を新しくする（装置の上で使う）
    Update {
        #[command(subcommand)]
        what: UpdateVerb,
    },
    /// 手順書を読む（名前を省くと一覧）
    Runbook {
        /// 手順書の名前（エラーや画面の上の知らせにあるもの。例 disk-full）
        name: Option<String>,
    },
    /// 装置の状態: 版、ディスク、電源、控え（異常があれば 1 で終わる）
    Status,
    /// 契約の終わり: データの消去・廃棄と、その証明
    Erase {
        #[command(subcommand)]
        what: EraseVerb,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum UpdateVerb {
    /// 動いている版と、待機側の版
    Status,
    /// 更新のファイルを待機側に入れる。次の起動でその版になる
    Apply(UpdateApplyArguments),
    /// 次の起動から、前の版に戻す
    Rollback(RollbackArguments),
}

#[derive(Debug, Args)]
pub(crate) struct RollbackArguments {
    /// 確認せずに進む
    #[arg(long)]
    pub(crate) yes: bool,
    /// 動いている版の中身が壊れていて、もう一方が確かなときだけ、確認せずに戻す（装置が自分で使う）
    #[arg(long)]
    pub(crate) if_bent: bool,
}

#[derive(Debug, Args)]
pub(crate) struct UpdateApplyArguments {
    /// 更新のファイル（.hokatsu-update）
    pub(crate) bundle: PathBuf,
    /// 確かめて計画を表示するだけで、入れない
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// 確認せずに進む
    #[arg(long)]
    pub(crate) yes: bool,
    /// 更新の前に控えを取らない（保管先がどれも使えないのに急ぐときだけ）
    #[arg(long)]
    pub(crate) without_backup: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TownSize {
    /// 約2,000人
    Small,
    /// 84,677人
    City,
}

#[derive(Debug, Args)]
pub(crate) struct DemoArguments {
    /// 町の大きさ
    #[arg(long, value_enum, default_value = "small")]
    pub(crate) size: TownSize,
    /// すべてを置く場所
    #[arg(long, default_value = "hokatsu-demo")]
    pub(crate) dir: PathBuf,
    /// 待ち受けるアドレス（ポート0は空きを選ぶ）
    #[arg(long, default_value = "127.0.0.1:8443")]
    pub(crate) listen: SocketAddr,
}

#[derive(Debug, Args)]
pub(crate) struct InitArguments {
    /// 最初の管理者の職員ID
    #[arg(long)]
    pub(crate) admin: String,
    /// 最初の管理者の氏名
    #[arg(long)]
    pub(crate) admin_name: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum EncodingArgument {
    /// 見分ける
    Auto,
    /// CP932（シフトJIS）
    Cp932,
    /// UTF-8
    #[value(name = "utf-8")]
    Utf8,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ImportVerb {
    /// 住民・世帯・被保険者・認定のファイル（またはそのディレクトリ）
    Residents(ResidentsArguments),
    /// 最後の取込みを取り消す
    Undo {
        /// 聞かずに行う
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct ResidentsArguments {
    /// ファイルまたはディレクトリ
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// 文字コード
    #[arg(long, value_enum, default_value = "auto")]
    pub(crate) encoding: EncodingArgument,
    /// 見出しの対応表
    #[arg(long, value_name = "FILE")]
    pub(crate) mapping: Option<PathBuf>,
    /// 取り込めない行を書き出す場所
    #[arg(long, value_name = "DIR")]
    pub(crate) rejects: Option<PathBuf>,
    /// 違いを示すだけで、取り込まない
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// 聞かずに行う
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AuditVerb {
    /// 欠け・書換え・入替えがないか確かめる
    Verify {
        /// 別に保管した署名つき記録（ファイル、または紙から打ち込んだ行。- は標準入力）
        #[arg(long, value_name = "FILE")]
        against: Option<PathBuf>,
        /// 前の年のファイルは検査しない
        #[arg(long)]
        live_only: bool,
    },
    /// 今の長さと末尾に署名して書き出す
    Checkpoint,
    /// 終わった年の記録を別のファイルに移す
    Archive(ArchiveArguments),
}

#[derive(Debug, Subcommand)]
pub(crate) enum AttachmentsVerb {
    /// 中身が失われたり壊れたりしていないか確かめる
    Check,
}

#[derive(Debug, Args)]
pub(crate) struct ArchiveArguments {
    /// 移す年（西暦）
    #[arg(long)]
    pub(crate) year: i16,
    /// 移したあとに残っているべき空き容量（GB）
    #[arg(long, default_value_t = 10, value_name = "N")]
    pub(crate) free_gb: u16,
    /// 計画を示すだけで、移さない
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// 聞かずに行う
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum IncidentVerb {
    /// 保全した証拠のフォルダが、そのときのままか確かめる
    Verify {
        /// フォルダ
        #[arg(value_name = "DIR")]
        folder: PathBuf,
        /// 署名を確かめる公開鍵（省くとデータディレクトリのもの、それもなければフォルダの中のもの）
        #[arg(long, value_name = "FILE")]
        key: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum BackupVerb {
    /// 保管先を作る
    Init {
        /// この保管先だけ（省くとすべて。すでにあるものは作り直さない）
        #[arg(long)]
        repository: Option<String>,
    },
    /// 今すぐ取る
    Run,
    /// 取ったものを並べる
    List,
    /// 復旧シート（控えを開くことばを印刷した紙）を作る
    Sheet(SheetArguments),
    /// 控えを開く鍵
    Key {
        #[command(subcommand)]
        what: KeyVerb,
    },
    /// 保管先が壊れていないか確かめる
    Check(CheckArguments),
    /// 不要になった控えとデータを片付ける
    Prune(PruneArguments),
    /// 控えを別の場所に戻し、動かして確かめる（報告書が残る）
    Drill(DrillArguments),
    /// 行ったことと状態を、定期点検のために印刷用のPDFにする
    Report(ReportArguments),
    /// 状態を示す（異常があれば 1 で終わる）
    Status,
    /// 時刻の来た処理を行う（タイマーが数分ごとに呼ぶ）
    Tick(TickArguments),
    /// 持ち出すディスク（建物の外に保管するもの）
    Disk {
        #[command(subcommand)]
        what: DiskVerb,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum DiskVerb {
    /// 空の、暗号化したディスクを登録する
    Enrol(EnrolArguments),
    /// 登録したディスクと、最後の控え、いまある場所を並べる
    List,
    /// 使い終えた、またはなくしたディスクを外す。二度と書かない
    Release(ReleaseArguments),
    /// つないだディスクに控えを取り、読み直して確かめる（つなぐと自動で動く）
    Run(DiskRunArguments),
    /// ディスクが抜かれたことを記録する（抜くと自動で動く）
    Unplugged(UnpluggedArguments),
}

#[derive(Debug, Args)]
pub(crate) struct EnrolArguments {
    /// 保管先の名前（設定ファイルの [[backup.repositories]] の name）
    pub(crate) name: String,
    /// ディスクの装置（例 /dev/sdb1）
    #[arg(long, value_name = "DEVICE")]
    pub(crate) device: PathBuf,
    /// 計画を示すだけで、登録しない
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// 聞かずに行う
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ReleaseArguments {
    /// ディスクの名前
    pub(crate) name: String,
    /// なくした（どこにあるか分からない）
    #[arg(long)]
    pub(crate) lost: bool,
    /// 計画を示すだけで、外さない
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// 聞かずに行う
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(Debug, Args)]
pub(crate) struct DiskRunArguments {
    /// つないだディスクの装置（例 /dev/sdb1）
    #[arg(long, value_name = "DEVICE")]
    pub(crate) device: PathBuf,
    /// 比べて疑わしくても控えを取る（操作する人と理由が要る）
    #[arg(long)]
    pub(crate) despite: bool,
}

#[derive(Debug, Args)]
pub(crate) struct UnpluggedArguments {
    /// 抜かれたディスクの装置（例 /dev/sdb1）
    #[arg(long, value_name = "DEVICE")]
    pub(crate) device: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct SheetArguments {
    /// 用紙のPDFを書く場所（メモリ上。例 /dev/shm/sheet）
    #[arg(long, value_name = "DIR", required_unless_present = "by_hand")]
    pub(crate) to: Option<PathBuf>,
    /// 印刷せず、画面に1度だけ出したことばを、紙に書き写す
    #[arg(long, conflicts_with_all = ["to", "split"])]
    pub(crate) by_hand: bool,
    /// 用紙を保管する人の氏名（何人でも。--split では3人）
    #[arg(long, value_name = "NAME")]
    pub(crate) holder: Vec<String>,
    /// 3枚に分け、どれか2枚がそろうと開くようにする
    #[arg(long)]
    pub(crate) split: bool,
    /// 聞かずに行う
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeyVerb {
    /// 復旧シートのことばだけで、すべての保管先が開くことを確かめる
    Prove(WordsArguments),
    /// この機械にパスワードがないとき、復旧シートのことばで新しいものを持たせる
    Admit(WordsArguments),
    /// この機械のパスワードを新しいものに替える
    Rotate {
        /// 聞かずに行う
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct WordsArguments {
    /// ことばを書いたファイル（省くと端末で聞く）
    #[arg(long, value_name = "FILE")]
    pub(crate) words_file: Option<PathBuf>,
    /// 3枚に分けた用紙の、もう1枚のことばを書いたファイル
    #[arg(long, value_name = "FILE")]
    pub(crate) second_words_file: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ShipVerb {
    /// 逐次複製のディスクを登録する
    Enrol {
        /// 計画を示すだけで、登録しない
        #[arg(long)]
        dry_run: bool,
        /// 聞かずに行う
        #[arg(long)]
        yes: bool,
    },
    /// 複製し続ける（ふだんはサービスとして動く）
    Run,
    /// どこまで複製したか、遅れはどれだけか（遅れていれば 1 で終わる）
    Status,
    /// 複製からデータベースを作り直す。どの時点にも戻せる
    Rebuild(RebuildArguments),
    /// 保存日数を過ぎた複製を消す（ふだんはタイマーが行う）
    Prune {
        /// いつもより多い変更は確かめた。その前の複製も、保存日数を過ぎたら消す
        #[arg(long)]
        change_is_known: bool,
        /// 計画を示すだけで、消さない
        #[arg(long)]
        dry_run: bool,
        /// 聞かずに行う
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum SiteVerb {
    /// 正しいか確かめ、装置について書いてあることを示す（正しくなければ、行と理由を示して 2 で終わる）
    Check,
    /// 装置のプログラムが読むファイルにする（起動のたびに装置が行う）
    Render(RenderArguments),
}

#[derive(Debug, Args)]
pub(crate) struct RenderArguments {
    /// 書く場所（装置では /run）
    #[arg(long, value_name = "DIR")]
    pub(crate) root: PathBuf,
    /// どのディスクを使うかだけを書く（データ領域がまだないとき）
    #[arg(long)]
    pub(crate) disks_only: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum UpsVerb {
    /// 見張り続け、停電が続けば装置を止める（ふだんはサービスとして動く）
    Watch,
    /// 電源とUPSの状態（よくなければ 1 で終わる）
    Status,
    /// 訓練: 架空の停電を、全員の画面に【訓練】と付けて示す。装置は止めない
    Simulate(SimulateArguments),
}

#[derive(Debug, Subcommand)]
pub(crate) enum AntivirusVerb {
    /// 検査が動いているか、ウイルス定義の版と日数（よくなければ 1 で終わる）
    Status,
    /// ウイルス定義を、確かめてから入れ替える
    Update(AntivirusUpdateArguments),
}

#[derive(Debug, Args)]
pub(crate) struct AntivirusUpdateArguments {
    /// 新しいウイルス定義（main.cvd、daily.cvd、bytecode.cvd）のある場所
    pub(crate) from: PathBuf,
    /// 確かめて計画を表示するだけで、入れない
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// 確認せずに進む
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(Debug, Args)]
pub(crate) struct SimulateArguments {
    /// 時間を進める速さ（倍）
    #[arg(long, value_name = "N", default_value_t = 1,
          value_parser = clap::value_parser!(u16).range(1..=600))]
    pub(crate) speed: u16,
    /// この分数の停電のあと、電気が戻る（省くと、装置が止まるところまで）
    #[arg(long, value_name = "MINUTES",
          value_parser = clap::value_parser!(u16).range(1..=240))]
    pub(crate) back_after: Option<u16>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TimemachineVerb {
    /// 見られる時点を並べる
    Points,
    /// ある時点のデータベースの写しを、見るために取り出す
    Fetch(FetchArguments),
    /// 添付ファイル1つの中身を取り出す
    Bytes(BytesArguments),
}

#[derive(Debug, Args)]
pub(crate) struct FetchArguments {
    /// 保管先の名前
    #[arg(long, value_name = "NAME", requires = "snapshot")]
    pub(crate) repository: Option<String>,
    /// 控えの番号
    #[arg(
        long,
        value_name = "ID",
        requires = "repository",
        conflicts_with = "shipped"
    )]
    pub(crate) snapshot: Option<String>,
    /// 逐次複製の、この時刻の時点（例 2026-11-23T09:00）
    #[arg(long, value_name = "TIME")]
    pub(crate) shipped: Option<String>,
    /// 置く場所（データディレクトリの former-states の中の、空のディレクトリ）
    #[arg(long, value_name = "DIR")]
    pub(crate) into: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct BytesArguments {
    /// 中身のSHA-256（16進数）
    #[arg(long, value_name = "HEX")]
    pub(crate) sha256: String,
    /// 置く場所（データディレクトリの former-states の中の、空のディレクトリ）
    #[arg(long, value_name = "DIR")]
    pub(crate) into: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct RebuildArguments {
    /// 作る場所（空のディレクトリ）
    #[arg(long, value_name = "DIR")]
    pub(crate) to: PathBuf,
    /// 複製のあるディレクトリ（省くと設定ファイルの [backup.shipping] path）
    #[arg(long, value_name = "DIR")]
    pub(crate) from: Option<PathBuf>,
    /// この時刻までに複製したもの（例 2026-11-23T09:00）
    #[arg(long, value_name = "TIME", conflicts_with = "commit")]
    pub(crate) at: Option<String>,
    /// この番号の記録まで
    #[arg(long, value_name = "N")]
    pub(crate) commit: Option<u64>,
    /// 計画を示すだけで、作らない
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// 聞かずに行う
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(Debug, Default, Args)]
pub(crate) struct DrillArguments {
    /// 保管先の名前（省くと、くじで選ぶ）
    #[arg(long)]
    pub(crate) repository: Option<String>,
    /// 使っているものと1バイトずつ比べる添付ファイルの数
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(0..=10_000))]
    pub(crate) files: Option<u16>,
}

#[derive(Debug, Args)]
pub(crate) struct ReportArguments {
    /// 書き出す場所
    #[arg(long, value_name = "DIR")]
    pub(crate) to: PathBuf,
    /// 何日分か
    #[arg(long, value_name = "N", default_value_t = 31,
          value_parser = clap::value_parser!(u16).range(1..=1_100))]
    pub(crate) days: u16,
}

impl CheckArguments {
    /// As the timer asks.
    pub(crate) fn tonight() -> Self {
        Self {
            repository: None,
            read_data: false,
            slice: true,
        }
    }
}

impl PruneArguments {
    /// As the timer asks: nobody is there to say yes.
    pub(crate) fn agreed() -> Self {
        Self {
            repository: None,
            drop_ahead: false,
            dry_run: false,
            yes: true,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum JobArgument {
    /// 控え
    Run,
    /// 復元訓練
    Drill,
    /// 読み直し検査
    Check,
    /// 不要データの整理
    Prune,
}

impl TickArguments {
    /// Is this among the jobs that were named? Nothing named is all of them.
    pub(crate) fn takes(&self, job: Job) -> bool {
        let as_named = |named: &JobArgument| match named {
            JobArgument::Run => Job::Run,
            JobArgument::Drill => Job::Drill,
            JobArgument::Check => Job::Check,
            JobArgument::Prune => Job::Prune,
        };
        self.only.is_empty() || self.only.iter().any(|named| as_named(named) == job)
    }
}

#[derive(Debug, Args)]
pub(crate) struct TickArguments {
    /// この処理だけを行う（整理を別の利用者とタイマーに分けるときなど。いくつでも）
    #[arg(long, value_enum, value_name = "JOB")]
    pub(crate) only: Vec<JobArgument>,
    /// 時刻の来たものを示すだけで、行わない
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Args)]
pub(crate) struct CheckArguments {
    /// 保管先の名前（省くとすべて）
    #[arg(long)]
    pub(crate) repository: Option<String>,
    /// すべてのデータを読む
    #[arg(long, conflicts_with = "slice")]
    pub(crate) read_data: bool,
    /// 今夜の区分のデータを読む
    #[arg(long)]
    pub(crate) slice: bool,
}

#[derive(Debug, Args)]
pub(crate) struct PruneArguments {
    /// 保管先の名前（省くとすべて）
    #[arg(long)]
    pub(crate) repository: Option<String>,
    /// 未来の時刻の控え（時計が進んでいたときのもの）も消す
    #[arg(long)]
    pub(crate) drop_ahead: bool,
    /// 計画を示すだけで、片付けない
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// 聞かずに行う
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct RestoreArguments {
    /// 今のデータに触れず、この場所（空のディレクトリ）に戻す。省くとデータディレクトリを戻す
    #[arg(long, value_name = "DIR")]
    pub(crate) to: Option<PathBuf>,
    /// 保管先の名前
    #[arg(long)]
    pub(crate) repository: Option<String>,
    /// この時刻以前で最も新しいもの（例 2026-11-23T09:00）
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<String>,
    /// このファイルだけを戻す（控えの中の名前。例 site.toml）
    #[arg(long, value_name = "PATH", requires = "to")]
    pub(crate) only: Option<String>,
    /// 設定ファイルなしに、このディレクトリの保管先から戻す。復旧シートのことばで開く（何もない機械で）
    #[arg(long, value_name = "DIR", conflicts_with = "repository")]
    pub(crate) from: Option<PathBuf>,
    /// --from のとき
    #[command(flatten)]
    pub(crate) words: WordsArguments,
    /// 計画を示すだけで、戻さない
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// 聞かずに行う
    #[arg(long)]
    pub(crate) yes: bool,
    #[command(subcommand)]
    pub(crate) what: Option<RestoreVerb>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RestoreVerb {
    /// 戻す前の状態に返す。途中で止まった復元は取りやめる（サービスを止めて使う）
    Undo(UndoArguments),
    /// 暗号化されたディスクを、復旧シートのことばで開いて、読むだけの形でつなぐ（何もない機械で）
    Unlock(UnlockArguments),
    /// とってある「戻す前の状態」と、保管先がどの装置の続きかを並べる
    List,
    /// この装置を正とし、ほかの装置の続きになっている保管先を引き継ぐ
    TakeOver {
        /// 聞かずに行う
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct UnlockArguments {
    /// ディスクの装置（例 /dev/sdb1）
    #[arg(long, value_name = "DEVICE")]
    pub(crate) device: PathBuf,
    #[command(flatten)]
    pub(crate) words: WordsArguments,
}

#[derive(Debug, Args)]
pub(crate) struct UndoArguments {
    /// 返す状態の名前（restore list の名前。省くと最も新しいもの）
    #[arg(long, value_name = "NAME")]
    pub(crate) kept: Option<String>,
    /// 計画を示すだけで、返さない
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// 聞かずに行う
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum UsersVerb {
    /// 職員を並べる
    List,
    /// 職員を登録し、仮のパスワードを表示する
    Add(AddUserArguments),
    /// 仮のパスワードを発行する
    Reset(ResetUserArguments),
    /// 最後の日を決める。予定の所属は取りやめる
    Disable(DisableUserArguments),
    /// 一人に権限の例外を加える（管理者の権限は画面だけ）
    Grant(GrantUserArguments),
    /// システム管理者がいなくなったときのための、二つの封筒
    BreakGlass {
        #[command(subcommand)]
        what: BreakGlassVerb,
    },
    /// パスワード1回の照合の重さを、この機械で測る（サービスを動かしたままでよい）
    PasswordCost,
    /// アクセス権限付与状況報告をCSVで書き出す
    Report {
        /// 書き出す場所
        #[arg(long, value_name = "DIR")]
        to: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum CertificatesVerb {
    /// 期限と残りの日数（残りが少ないか、切れていれば 1 で終わる）
    Check,
    /// サーバの証明書を更新する（ふだんはサービスが自動で行う。動かしたままでよい）
    RenewServer {
        /// 聞かずに行う
        #[arg(long)]
        yes: bool,
    },
    /// 認証局の証明書を同じ鍵で更新する（端末に新しい hokatsu-ca.crt を配る。動かしたままでよい）
    RenewAuthority {
        /// 聞かずに行う
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum FactorKeysVerb {
    /// 鍵がそろっているか、登録したものをすべて開けられるか確かめる（サービスを止めて使う）
    Check,
    /// 新しい鍵に替え、すべてに封をし直す。鍵がまだないときは作る（サービスを止めて使う）
    Rotate {
        /// 新しい鍵のファイルを書く場所（省くと今の場所）
        #[arg(long, value_name = "FILE")]
        to: Option<PathBuf>,
        /// 聞かずに行う
        #[arg(long)]
        yes: bool,
    },
    /// 鍵をなくしたとき、開けられない登録を取り消し、次のサインインで登録し直してもらう（サービスを止めて使う）
    TakeBack {
        /// 聞かずに行う
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct AddUserArguments {
    /// 職員ID（半角の英小文字・数字・ピリオドで10文字まで）
    #[arg(long)]
    pub(crate) login: String,
    /// 氏名
    #[arg(long)]
    pub(crate) name: String,
    /// 氏名カナ
    #[arg(long)]
    pub(crate) kana: String,
    /// 役割（例 nurse、system_admin）
    #[arg(long)]
    pub(crate) role: String,
    /// センター番号（省くと市）
    #[arg(long)]
    pub(crate) centre: Option<String>,
    /// 職種・担当
    #[arg(long)]
    pub(crate) job: String,
    /// 始まりの日（例 R9.4.1）
    #[arg(long, value_name = "DAY")]
    pub(crate) from: String,
}

#[derive(Debug, Args)]
pub(crate) struct GrantUserArguments {
    /// 職員ID
    pub(crate) login: String,
    /// 権限（例 access_log_view）
    #[arg(long)]
    pub(crate) permission: String,
    /// できなくする（省くと、できるようにする）
    #[arg(long)]
    pub(crate) take_away: bool,
    /// 始まりの日（例 R9.4.1）
    #[arg(long, value_name = "DAY")]
    pub(crate) from: String,
    /// 最後の日（できるようにするときは必ず）
    #[arg(long, value_name = "DAY")]
    pub(crate) until: Option<String>,
    /// 聞かずに行う
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ResetUserArguments {
    /// 職員ID
    pub(crate) login: String,
    /// 聞かずに行う
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(Debug, Args)]
pub(crate) struct DisableUserArguments {
    /// 職員ID
    pub(crate) login: String,
    /// 最後の日（例 R9.3.31）
    #[arg(long, value_name = "DAY")]
    pub(crate) on: String,
    /// 聞かずに行う
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum BreakGlassVerb {
    /// 封筒に入れる用紙を2枚作る（前の封筒は無効になる）
    Prepare {
        /// 1つめの封筒を保管する人
        #[arg(long, value_name = "NAME")]
        first: String,
        /// 2つめの封筒を保管する人
        #[arg(long, value_name = "NAME")]
        second: String,
        /// 用紙を書き出す場所（印刷したら消す）
        #[arg(long, value_name = "DIR")]
        to: PathBuf,
        /// 聞かずに行う
        #[arg(long)]
        yes: bool,
    },
    /// 封筒を2つそろえて開け、仮のパスワードを発行する
    Open(OpenArguments),
}

#[derive(Debug, Args)]
pub(crate) struct OpenArguments {
    /// 職員ID（いまのシステム管理者、または新しいID）
    #[arg(long)]
    pub(crate) login: String,
    /// 新しく登録するときの氏名
    #[arg(long, requires = "kana")]
    pub(crate) name: Option<String>,
    /// 新しく登録するときの氏名カナ
    #[arg(long, requires = "name")]
    pub(crate) kana: Option<String>,
    /// 1つめの封筒を開けた人
    #[arg(long, value_name = "NAME")]
    pub(crate) first: String,
    /// 2つめの封筒を開けた人
    #[arg(long, value_name = "NAME")]
    pub(crate) second: String,
    /// 1つめの文字を書いたファイル（省くと端末で聞く）
    #[arg(long, value_name = "FILE")]
    pub(crate) first_secret_file: Option<PathBuf>,
    /// 2つめの文字を書いたファイル（省くと端末で聞く）
    #[arg(long, value_name = "FILE")]
    pub(crate) second_secret_file: Option<PathBuf>,
    /// 聞かずに行う
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CarriedOutVerb {
    /// 画面から書き出したもの以外（バックアップのディスクなど）を台帳に載せる
    Add(Box<AddCarriedOutArguments>),
}

#[derive(Debug, Args)]
pub(crate) struct AddCarriedOutArguments {
    /// 持ち出したもの（住民の氏名は書かない）
    #[arg(long)]
    pub(crate) what: String,
    /// 何人分の個人情報か
    #[arg(long)]
    pub(crate) persons: String,
    /// 目的のコード（07はバックアップの保管）
    #[arg(long, default_value = "07")]
    pub(crate) purpose: String,
    /// 目的の説明
    #[arg(long, default_value = "")]
    pub(crate) purpose_note: String,
    /// 媒体のコード（02は外付けHDD）
    #[arg(long, default_value = "02")]
    pub(crate) medium: String,
    /// 媒体の番号・説明
    #[arg(long, default_value = "")]
    pub(crate) medium_note: String,
    /// 持出し先
    #[arg(long)]
    pub(crate) destination: String,
    /// 持ち出す人（省くと --operator の人）
    #[arg(long)]
    pub(crate) carried_by: Option<String>,
    /// 持ち出した日（省くと今日）
    #[arg(long, value_name = "DAY", default_value = "今日")]
    pub(crate) taken_on: String,
    /// 暗号化しないときの、代わりの措置（省くと暗号化あり）
    #[arg(long, value_name = "TEXT")]
    pub(crate) unlocked: Option<String>,
    /// 返却・廃棄の期限（省くと渡したまま）
    #[arg(long, value_name = "DAY")]
    pub(crate) due: Option<String>,
    /// 備考
    #[arg(long, default_value = "")]
    pub(crate) note: String,
}

#[derive(Debug, Subcommand)]
pub(crate) enum EraseVerb {
    /// データの残るものを調べ、消去・廃棄申請書と撤去作業予定表を作る
    Plan(ErasePlanArguments),
    /// 計画の1台を消去する。鍵を破棄し、全体を上書きし、読み戻して確かめる
    Run(Box<EraseRunArguments>),
    /// この機械では消せないもの（溶融、物理的破壊、初期化）を、済んだと記録する
    Record(Box<EraseRecordArguments>),
    /// 品目ごとの証明書を作る（記録のないものは作らない）
    Certificate(EraseCertificateArguments),
}

#[derive(Debug, Args)]
pub(crate) struct ErasePlanArguments {
    /// この機械に見えないもの（パソコン、紙など）と、装置の説明を書いた一覧（TOML）
    #[arg(long, value_name = "FILE")]
    pub(crate) list: PathBuf,
    /// 計画と書類を書く場所
    #[arg(long, value_name = "DIR")]
    pub(crate) to: PathBuf,
    /// 装置ではなく、ディスクイメージのファイルも載せる（何回でも）
    #[arg(long, value_name = "FILE")]
    pub(crate) image: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct WitnessArguments {
    /// 実際に立ち会った人の氏名（何人でも）
    #[arg(long, value_name = "NAME", conflicts_with = "unattended")]
    pub(crate) attendant: Vec<String>,
    /// 計画では立会いがあったのに、立会いなしで行う理由
    #[arg(long, value_name = "TEXT")]
    pub(crate) unattended: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct EraseRunArguments {
    /// 計画のファイル
    #[arg(long, value_name = "FILE")]
    pub(crate) plan: PathBuf,
    /// 承諾された申請書のSHA-256（最初の8文字以上。省くと端末で聞く）
    #[arg(long, value_name = "HEX")]
    pub(crate) sha256: Option<String>,
    /// 計画の番号
    #[arg(long, value_name = "N")]
    pub(crate) item: u16,
    /// 記録を書く場所（消す装置とは別のもの。省くと計画と同じ場所の records）
    #[arg(long, value_name = "DIR")]
    pub(crate) records: Option<PathBuf>,
    /// 本物の装置ではなく、ディスクイメージのファイルを消す
    #[arg(long)]
    pub(crate) image: bool,
    /// 消す装置の製造番号（省くと端末で聞く）
    #[arg(long, value_name = "SERIAL")]
    pub(crate) confirm: Option<String>,
    #[command(flatten)]
    pub(crate) witness: WitnessArguments,
    /// 計画を示すだけで、消さない
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// 聞かずに行う
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(Debug, Args)]
pub(crate) struct EraseRecordArguments {
    /// 計画のファイル
    #[arg(long, value_name = "FILE")]
    pub(crate) plan: PathBuf,
    /// 承諾された申請書のSHA-256（最初の8文字以上。省くと端末で聞く）
    #[arg(long, value_name = "HEX")]
    pub(crate) sha256: Option<String>,
    /// 計画の番号
    #[arg(long, value_name = "N")]
    pub(crate) item: u16,
    /// 記録を書く場所（省くと計画と同じ場所の records）
    #[arg(long, value_name = "DIR")]
    pub(crate) records: Option<PathBuf>,
    /// 行った日時（例 2027-03-31T10:00）
    #[arg(long, value_name = "TIME")]
    pub(crate) on: String,
    /// 何をしたか（例 シュレッダー式破砕機で20mm角に破砕）
    #[arg(long, value_name = "TEXT")]
    pub(crate) how: String,
    /// 行った人または業者
    #[arg(long, value_name = "NAME")]
    pub(crate) by: String,
    /// 証明となる書類の番号（例 溶融証明書 第123号）
    #[arg(long, value_name = "TEXT")]
    pub(crate) proof: String,
    #[command(flatten)]
    pub(crate) witness: WitnessArguments,
    /// 聞かずに行う
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(Debug, Args)]
pub(crate) struct EraseCertificateArguments {
    /// 計画のファイル
    #[arg(long, value_name = "FILE")]
    pub(crate) plan: PathBuf,
    /// 記録のある場所
    #[arg(long, value_name = "DIR")]
    pub(crate) records: PathBuf,
    /// 証明書を書く場所
    #[arg(long, value_name = "DIR")]
    pub(crate) to: PathBuf,
    /// この番号だけ（省くとすべて）
    #[arg(long, value_name = "N")]
    pub(crate) item: Option<u16>,
}
