//! Slurm on one machine: its daemons with a configuration of their own, on loopback, for as long as a test runs.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use crate::run;

/// How often a state is asked for.
const BETWEEN: Duration = Duration::from_millis(100);

/// How often at most: two minutes.
const TIMES: usize = 1200;

/// The daemons, which end with it.
#[derive(Debug)]
pub(crate) struct Cluster {
    folder: PathBuf,
    daemons: Vec<Child>,
}

impl Cluster {
    /// Starts `munged`, `slurmctld` and `slurmd`, and waits until the node takes jobs.
    pub(crate) fn start() -> Self {
        // Paths of sockets are short, so it is not below the repository.
        let folder = std::env::temp_dir().join(format!("twinbeam-slurm-{}", std::process::id()));
        for inside in ["", "state", "spool", "munge"] {
            fs::create_dir_all(folder.join(inside)).expect("it can be made");
        }
        let mut cluster = Self { folder, daemons: Vec::new() };
        cluster.configure();
        cluster.munge();
        let (conf, controller) = (cluster.conf(), Command::new("slurmctld"));
        cluster.daemon("slurmctld", { controller }.args(["-D", "-c", "-f"]).arg(&conf));
        cluster.daemon("slurmd", Command::new("slurmd").args(["-D", "-f"]).arg(&conf));
        cluster.until("the node takes jobs", || {
            cluster.asked("sinfo", &["--noheader", "--format=%T"]).is_ok_and(|said| said == "idle")
        });
        cluster
    }

    fn conf(&self) -> PathBuf {
        self.folder.join("slurm.conf")
    }

    /// Writes the configuration. There are no control groups, since a container has none to give. What expires after five
    /// seconds, not two minutes, is what a task was started with: until then it is not started anew.
    fn configure(&self) {
        let folder = self.folder.display();
        let host = run(&mut Command::new("hostname"));
        let user = run(Command::new("id").arg("-un"));
        let (host, user) = (host.trim(), user.trim());
        let port = || TcpListener::bind("127.0.0.1:0").expect("a free port");
        // Both at once, so that they differ; they are free again when the daemons come.
        let ports = [port(), port()].map(|port| port.local_addr().expect("an address").port());
        let text = format!(
            "ClusterName=twinbeam\n\
             SlurmctldHost={host}(127.0.0.1)\n\
             NodeName={host} NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN\n\
             PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP\n\
             SlurmUser={user}\n\
             SlurmdUser={user}\n\
             AuthType=auth/munge\n\
             AuthInfo=socket={folder}/munge/socket,cred_expire=5\n\
             SlurmctldPort={}\n\
             SlurmdPort={}\n\
             StateSaveLocation={folder}/state\n\
             SlurmdSpoolDir={folder}/spool\n\
             SlurmctldPidFile={folder}/slurmctld.pid\n\
             SlurmdPidFile={folder}/slurmd.pid\n\
             ProctrackType=proctrack/linuxproc\n\
             TaskPlugin=task/none\n\
             JobAcctGatherType=jobacct_gather/none\n\
             AccountingStorageType=accounting_storage/none\n\
             SelectType=select/cons_tres\n\
             SelectTypeParameters=CR_CPU\n\
             SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=1\n\
             MpiDefault=none\n\
             MailProg=/bin/true\n\
             ReturnToService=2\n\
             KillWait=1\n",
            ports[0], ports[1]
        );
        fs::write(self.conf(), text).expect("it can be written");
        let cgroup = self.folder.join("cgroup.conf");
        fs::write(cgroup, "CgroupPlugin=cgroup/v1\n").expect("it can be written");
    }

    /// Starts what signs the messages between the others, with a key of its own.
    fn munge(&mut self) {
        let of = |name: &str| self.folder.join("munge").join(name);
        let key = of("key");
        let mut random = File::open("/dev/urandom").expect("random bytes");
        let mut bytes = [0; 128];
        std::io::Read::read_exact(&mut random, &mut bytes).expect("random bytes");
        fs::write(&key, bytes).expect("it can be written");
        run(Command::new("chmod").arg("600").arg(&key));
        let option = |name: &str, file: &str| format!("--{name}={}", of(file).display());
        let options = [
            option("key-file", "key"),
            option("socket", "socket"),
            option("pid-file", "pid"),
            option("log-file", "log"),
            option("seed-file", "seed"),
            "--foreground".to_owned(),
        ];
        let socket = of("socket");
        self.daemon("munged", Command::new("munged").args(options));
        self.until("munged answers", || socket.exists());
    }

    fn daemon(&mut self, name: &str, command: &mut Command) {
        let log = File::create(self.log(name)).expect("it can be made");
        command.stdin(Stdio::null()).stdout(log.try_clone().expect("a file")).stderr(log);
        let child = command.spawn();
        self.daemons.push(child.unwrap_or_else(|error| panic!("{name} does not start: {error}")));
    }

    fn log(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.log"))
    }

    /// Waits for something; where it does not come, the daemons' last words say why.
    pub(crate) fn until(&self, what: &str, is_so: impl Fn() -> bool) {
        for _ in 0..TIMES {
            if is_so() {
                return;
            }
            sleep(BETWEEN);
        }
        let said = ["munged", "slurmctld", "slurmd"].map(|name| {
            let text = fs::read_to_string(self.log(name)).unwrap_or_default();
            let last: Vec<&str> = text.lines().rev().take(20).collect();
            format!("{name}:\n{}", last.into_iter().rev().collect::<Vec<_>>().join("\n"))
        });
        panic!("not within two minutes: {what}\n{}", said.join("\n"));
    }

    /// One of Slurm's commands; the error is what it says.
    fn asked(&self, program: &str, arguments: &[&str]) -> Result<String, String> {
        let mut command = Command::new(program);
        let output = command.args(arguments).env("SLURM_CONF", self.conf()).output();
        let output = output.map_err(|error| format!("{program}: {error}"))?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
    }

    /// Submits by a command that says which array and which merge it has submitted.
    pub(crate) fn submit(&self, command: &mut Command) -> (String, String) {
        let said = run(command.env("SLURM_CONF", self.conf()));
        let after = |word: &str| {
            let rest = said.split_once(word).unwrap_or_else(|| panic!("{said}")).1;
            rest.chars().take_while(char::is_ascii_digit).collect()
        };
        (after("array "), after("merge "))
    }

    /// A field of what Slurm says of a job or a task.
    fn field(&self, job: &str, name: &str) -> Option<String> {
        let said = self.asked("scontrol", &["show", "job", job]).ok()?;
        let fields = said.split_whitespace().filter_map(|field| field.split_once('='));
        fields.clone().find(|(field, _)| *field == name).map(|(_, value)| value.to_owned())
    }

    /// State and exit code of a job or a task, once it has ended.
    pub(crate) fn ended(&self, job: &str) -> String {
        let state = || self.field(job, "JobState").unwrap_or_default();
        let has_ended = || ["COMPLETED", "FAILED", "CANCELLED"].contains(&state().as_str());
        self.until(&format!("job {job} ends"), has_ended);
        format!("{} {}", state(), self.field(job, "ExitCode").unwrap_or_default())
    }

    /// Whether the file of a share is begun.
    pub(crate) fn is_writing(part: &Path) -> bool {
        let name = part.file_name().and_then(|name| name.to_str()).expect("a name");
        let files = fs::read_dir(part.parent().expect("a folder")).expect("a folder");
        let names = files.map(|file| file.expect("a file").file_name());
        names
            .filter_map(|found| found.into_string().ok())
            .any(|found| found != name && found.starts_with(name))
    }

    /// Kills the program that a task runs, as a node without memory does.
    pub(crate) fn kill(&self, task: &str) {
        let job = self.field(task, "JobId").expect("a job");
        let listed = self.asked("scontrol", &["listpids", &job]).expect("it runs");
        let mut processes = listed.lines().filter_map(|line| line.split_whitespace().next());
        let is_program = |process: &&str| {
            let name = fs::read_to_string(format!("/proc/{process}/comm"));
            name.is_ok_and(|name| name.trim() == "twinbeam")
        };
        let process = processes.find(is_program).unwrap_or_else(|| panic!("{listed}"));
        run(Command::new("kill").args(["-KILL", process]));
    }

    /// Has Slurm take a task from its node and start it anew.
    pub(crate) fn requeue(&self, task: &str) {
        self.asked("scontrol", &["requeue", task]).expect("it runs");
        self.until("it is in the queue again", || self.restarts(task) == 1);
    }

    /// How often a task was started anew.
    pub(crate) fn restarts(&self, task: &str) -> usize {
        self.field(task, "Restarts").and_then(|n| n.parse().ok()).unwrap_or_default()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // Jobs that a failed test has left would outlive the daemons.
        drop(self.asked("scancel", &["--full", "--signal=KILL", "--state=RUNNING"]));
        drop(self.asked("scancel", &["--partition=main"]));
        for daemon in self.daemons.iter_mut().rev() {
            drop(Command::new("kill").arg(daemon.id().to_string()).status());
            let has_ended = |daemon: &mut Child| matches!(daemon.try_wait(), Ok(Some(_)));
            for _ in 0..50 {
                if has_ended(daemon) {
                    break;
                }
                sleep(BETWEEN);
            }
            drop(daemon.kill());
            drop(daemon.wait());
        }
        if !std::thread::panicking() {
            drop(fs::remove_dir_all(&self.folder));
        }
    }
}
